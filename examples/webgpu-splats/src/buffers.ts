/** `GPUBufferUsage`, `GPUMapMode` and `GPUShaderStage`, which are not globals in Node. */
export const bufferUsage = {
  MAP_READ: 0x1,
  COPY_SRC: 0x4,
  COPY_DST: 0x8,
  UNIFORM: 0x40,
  STORAGE: 0x80,
} as const;
export const mapForReading = 0x1;
export const computeStage = 0x4;

/** A storage buffer of zeros. */
export function storage(device: GPUDevice, label: string, byteLength: number): GPUBuffer {
  const { STORAGE, COPY_SRC, COPY_DST } = bufferUsage;
  return device.createBuffer({
    label,
    size: Math.ceil(byteLength / 4) * 4,
    usage: STORAGE | COPY_SRC | COPY_DST,
  });
}

/** A copy of some bytes of a buffer. */
export async function readBytes(
  device: GPUDevice,
  buffer: GPUBuffer,
  byteLength: number,
  byteOffset = 0,
): Promise<ArrayBuffer> {
  const staging = device.createBuffer({
    size: byteLength,
    usage: bufferUsage.MAP_READ | bufferUsage.COPY_DST,
  });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, byteOffset, staging, 0, byteLength);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(mapForReading);
  const bytes = staging.getMappedRange().slice(0);
  staging.destroy();
  return bytes;
}
