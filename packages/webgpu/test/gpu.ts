import { webgpu, type WebGpu } from "@gradstep/webgpu";
import { nodeGpu } from "@gradstep/webgpu/node";
import { afterEach, describe as plain } from "vitest";

export { bufferOf, wordsOf } from "./buffers.js";

/** Why there is no GPU here, or undefined. */
export const missing: string | undefined = await nodeGpu().then(
  () => undefined,
  (error: unknown) => String(error),
);

// Where tests have to run, a machine without WebGPU is a failure and no skip.
const mustRun = process.env.CI !== undefined && process.platform === "linux";

/** `describe` for what needs a GPU: a visible skip where there is none. */
export const describe: typeof plain =
  missing === undefined || mustRun
    ? plain
    : ((console.warn(`Skipped: ${missing}`), plain.skip) as unknown as typeof plain);

const made: { dispose(): void }[] = [];

afterEach(() => {
  for (const one of made.splice(0)) one.dispose();
});

/** A device that is destroyed after the test. */
export async function newDevice(): Promise<GPUDevice> {
  const { gpu } = await nodeGpu();
  const adapter = await gpu.requestAdapter();
  const device = await adapter!.requestDevice();
  made.push({ dispose: () => device.destroy() });
  return device;
}

/** A backend on a device of its own, destroyed after the test. */
export async function newBackend(): Promise<WebGpu> {
  const backend = webgpu({ device: await newDevice() });
  made.unshift(backend);
  return backend;
}

let shared: Promise<GPUDevice> | undefined;

/** A backend of its own on one device for all, which keeps what it has compiled. */
export async function backendOnSharedDevice(): Promise<WebGpu> {
  shared ??= nodeGpu().then(async ({ gpu }) => (await gpu.requestAdapter())!.requestDevice());
  const backend = webgpu({ device: await shared });
  made.unshift(backend);
  return backend;
}
