/** Gives the device of all contenders but TF.js, which requests its own. */
export type DeviceSource = () => Promise<GPUDevice>;

/** `GPUBufferUsage`, which is not a global in Node. */
export const usage = { COPY_SRC: 0x4, COPY_DST: 0x8, UNIFORM: 0x40, STORAGE: 0x80, MAP_READ: 0x1 };

/** Two dimensions for that many workgroups, within the limit of the device. */
export function gridOf({ limits }: GPUDevice, groups: number): { x: number; y: number } {
  const x = Math.min(groups, limits.maxComputeWorkgroupsPerDimension);
  return { x, y: Math.ceil(groups / x) };
}

/** A buffer with these values. */
export function bufferOf(device: GPUDevice, values: Float32Array): GPUBuffer {
  const buffer = device.createBuffer({
    size: values.byteLength,
    usage: usage.STORAGE | usage.COPY_SRC | usage.COPY_DST,
  });
  device.queue.writeBuffer(buffer, 0, values as Float32Array<ArrayBuffer>);
  return buffer;
}

/** A copy of the values in a buffer. */
export async function readBuffer(device: GPUDevice, buffer: GPUBuffer): Promise<Float32Array> {
  const { size } = buffer;
  const copy = device.createBuffer({ size, usage: usage.MAP_READ | usage.COPY_DST });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, copy, 0, size);
  device.queue.submit([encoder.finish()]);
  await copy.mapAsync(usage.MAP_READ);
  const values = new Float32Array(copy.getMappedRange().slice(0));
  copy.destroy();
  return values;
}
