import { webgpu, type WebGpu } from "@gradstep/webgpu";
import { nodeGpu } from "@gradstep/webgpu/node";
import { describe as vitestDescribe } from "vitest";

const missing: string | undefined = await nodeGpu().then(
  () => undefined,
  (error: unknown) => String(error),
);
if (missing !== undefined) console.warn(`Skipped: ${missing}`);
// In CI on Linux, a machine without WebGPU is a failure and not a skip.
const mustRun = process.env.CI !== undefined && process.platform === "linux";

/** `describe` for tests that need a GPU. */
export const describe: typeof vitestDescribe =
  missing === undefined || mustRun
    ? vitestDescribe
    : (vitestDescribe.skip as unknown as typeof vitestDescribe);

/** A backend on a device with these features. */
export async function backendWith(requiredFeatures: GPUFeatureName[]): Promise<WebGpu> {
  const { gpu } = await nodeGpu();
  const { globals } = await import("webgpu");
  // TypeGPU reads the constants of WebGPU, which are globals in a browser.
  Object.assign(globalThis, globals);
  const adapter = await gpu.requestAdapter();
  return webgpu({ device: await adapter!.requestDevice({ requiredFeatures }) });
}
