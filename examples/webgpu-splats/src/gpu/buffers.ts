/** `GPUBufferUsage` and `GPUMapMode`, which are not globals in Node. */
const bufferUsage = {
  MAP_READ: 0x1,
  COPY_SRC: 0x4,
  COPY_DST: 0x8,
  UNIFORM: 0x40,
  STORAGE: 0x80,
} as const;
const mapForReading = 0x1;

/** A storage buffer of zeros. */
export function storage(device: GPUDevice, label: string, byteLength: number): GPUBuffer {
  const { STORAGE, COPY_SRC, COPY_DST } = bufferUsage;
  return device.createBuffer({ label, size: byteLength, usage: STORAGE | COPY_SRC | COPY_DST });
}

/** A uniform buffer of zeros. */
export function uniform(device: GPUDevice, label: string, byteLength: number): GPUBuffer {
  const usage = bufferUsage.UNIFORM | bufferUsage.COPY_DST;
  return device.createBuffer({ label, size: byteLength, usage });
}

/** A copy of the first bytes of a buffer. */
export async function readBytes(
  device: GPUDevice,
  buffer: GPUBuffer,
  byteLength: number,
): Promise<ArrayBuffer> {
  const staging = device.createBuffer({
    size: byteLength,
    usage: bufferUsage.MAP_READ | bufferUsage.COPY_DST,
  });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, byteLength);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(mapForReading);
  const bytes = staging.getMappedRange().slice(0);
  staging.destroy();
  return bytes;
}
