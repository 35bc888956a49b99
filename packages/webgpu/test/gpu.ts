import { webgpu, type WebGpu } from "@gradstep/webgpu";
import { nodeGpu } from "@gradstep/webgpu/node";
import { afterEach, describe as vitestDescribe } from "vitest";

export { bufferOf, wordsOf } from "./buffers.js";

/** Why there is no GPU, or undefined. */
const missing: string | undefined = await nodeGpu().then(
  () => undefined,
  (error: unknown) => String(error),
);

// In CI on Linux, a machine without WebGPU is a failure and not a skip.
const mustRun = process.env.CI !== undefined && process.platform === "linux";

/** `describe` for tests that need a GPU: a visible skip if there is none. */
export const describe: typeof vitestDescribe =
  missing === undefined || mustRun
    ? vitestDescribe
    : ((console.warn(`Skipped: ${missing}`),
      vitestDescribe.skip) as unknown as typeof vitestDescribe);

const disposedAfterTest: { dispose(): void }[] = [];

afterEach(() => {
  for (const one of disposedAfterTest.splice(0)) one.dispose();
});

/** A device for tests that lose it; it is destroyed after the test. */
export async function newDevice(): Promise<GPUDevice> {
  const { gpu } = await nodeGpu();
  const adapter = await gpu.requestAdapter();
  const device = await adapter!.requestDevice();
  disposedAfterTest.push({ dispose: () => device.destroy() });
  return device;
}

const shared = new Map<string, Promise<GPUDevice>>();

/**
 * A device for all tests with these limits. It keeps what it has compiled.
 * @param requiredLimits those of a default device if left out
 */
export function sharedDevice(requiredLimits: Record<string, number> = {}): Promise<GPUDevice> {
  const key = JSON.stringify(requiredLimits);
  const device =
    shared.get(key) ??
    nodeGpu().then(async ({ gpu }) =>
      (await gpu.requestAdapter())!.requestDevice({ requiredLimits }),
    );
  shared.set(key, device);
  return device;
}

/** A new backend on the shared device; it is disposed after the test. */
export async function newBackend(requiredLimits?: Record<string, number>): Promise<WebGpu> {
  const backend = webgpu({ device: await sharedDevice(requiredLimits) });
  disposedAfterTest.unshift(backend);
  return backend;
}
