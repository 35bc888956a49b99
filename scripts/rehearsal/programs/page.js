// Runs on a page.
import { autoBackend, cpuJs, wasm } from "gradstep";
import { webgpu } from "@gradstep/webgpu";
import { takeSteps } from "./take-step.js";

globalThis.results = takeSteps({
  "cpu-js": () => cpuJs(),
  wasm: () => wasm(),
  threads: () => wasm({ threads: 2, parallelThreshold: 0 }),
  webgpu: () => webgpu(),
  auto: () => autoBackend(),
});
