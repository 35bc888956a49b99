import { nodeGpu } from "@gradstep/webgpu/node";
import { globals } from "webgpu";

// TF.js looks for these when it is imported, and then takes Node for a browser.
try {
  const { gpu } = await nodeGpu();
  Object.assign(globalThis, globals);
  const scope = globalThis as { navigator?: object };
  scope.navigator ??= {};
  Object.defineProperty(scope.navigator, "gpu", { value: gpu });
} catch (error) {
  // In CI a machine without WebGPU is a failure, not a skip.
  if (process.env.CI !== undefined && process.platform === "linux") throw error;
  console.warn(`Skipped: ${String(error)}`);
}
