import { webgpu, type WebGpu } from "@gradstep/webgpu";
import { nodeGpu } from "@gradstep/webgpu/node";
import { afterEach, describe as plain } from "vitest";

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
export async function freshDevice(): Promise<GPUDevice> {
  const { gpu } = await nodeGpu();
  const adapter = await gpu.requestAdapter();
  const device = await adapter!.requestDevice();
  made.push({ dispose: () => device.destroy() });
  return device;
}

/** A backend on a device of its own, destroyed after the test. */
export async function freshBackend(): Promise<WebGpu> {
  const backend = webgpu({ device: await freshDevice() });
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

/** A buffer of the caller's with these contents. */
export function bufferOf(device: GPUDevice, values: Float32Array<ArrayBuffer>): GPUBuffer {
  const usage = 0x80 | 0x4 | 0x8;
  const buffer = device.createBuffer({ size: values.byteLength, usage });
  device.queue.writeBuffer(buffer, 0, values);
  return buffer;
}

/** The bytes of a buffer, as u32s. */
export async function wordsOf(device: GPUDevice, buffer: GPUBuffer): Promise<Uint32Array> {
  const staging = device.createBuffer({ size: buffer.size, usage: 0x1 | 0x8 });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, buffer.size);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(0x1);
  const words = new Uint32Array(staging.getMappedRange().slice(0));
  staging.destroy();
  return words;
}
