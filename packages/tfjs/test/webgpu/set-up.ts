import { nodeGpu } from "@gradstep/webgpu/node";
import { globals } from "webgpu";

// What TF.js looks for when it is imported: it takes Node for a browser then.
try {
  const { gpu } = await nodeGpu();
  Object.assign(globalThis, globals);
  const scope = globalThis as { navigator?: object };
  scope.navigator ??= {};
  Object.defineProperty(scope.navigator, "gpu", { value: gpu });
} catch (error) {
  // Where tests have to run, a machine without WebGPU is a failure and no skip.
  if (process.env.CI !== undefined && process.platform === "linux") throw error;
  console.warn(`Skipped: ${String(error)}`);
}
