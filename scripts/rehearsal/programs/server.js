// Runs in Node, Bun and Deno.
import process from "node:process";
import { autoBackend, cpuJs, wasm } from "gradstep";
import { takeSteps } from "./take-step.js";

const results = await takeSteps({
  "cpu-js": () => cpuJs(),
  wasm: () => wasm(),
  threads: () => wasm({ threads: 2, parallelThreshold: 0 }),
  webgpu: async () => {
    const path = "Deno" in globalThis ? "@gradstep/webgpu" : "@gradstep/webgpu/node";
    const { webgpu } = await import(path);
    return webgpu();
  },
  auto: () => autoBackend(),
});
process.stdout.write(`${JSON.stringify(results)}\n`, () => {
  process.exit(0);
});
