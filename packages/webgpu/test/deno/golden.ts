import { readFileSync } from "node:fs";
import process from "node:process";
import { parseGolden, replay, wgsl } from "@gradstep/conformance";
import { webgpu } from "@gradstep/webgpu";

// Run by Deno, whose WebGPU is wgpu: another implementation than Dawn, from the shader's parser on.
const { device } = await webgpu();
const results = [];
for (const library of ["keras", "torch", "optax"]) {
  const path = new URL(`../../../conformance/fixtures/${library}.json`, import.meta.url);
  const golden = parseGolden(readFileSync(path, "utf8"), library);
  results.push(...(await replay(golden, { backend: () => webgpu({ device }), model: wgsl })));
}
process.stdout.write(`${JSON.stringify(results)}\n`, () => {
  process.exit(0);
});
