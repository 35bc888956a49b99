import { rowLength } from "../splat-rows.js";
import { Buffers } from "./buffers.js";

/** The buffers that the renderer, the optimizer and density control share. */
export class SplatBuffers {
  readonly device: GPUDevice;
  /** These, and those that belong to one of the others. */
  readonly buffers: Buffers;
  /** The number of rows that buffers have. */
  readonly capacity: number;
  /** One u32: the number of splats. Only the GPU knows it. */
  readonly count: GPUBuffer;
  /** Rows of f32: what is trained. */
  readonly parameters: GPUBuffer;
  /** Rows of f32, which the optimizer keeps up to date. */
  readonly activated: GPUBuffer;
  /** Rows of i32. The backward pass adds to them, and the optimizer clears them. */
  readonly gradients: GPUBuffer;
  /** Per row, two u32 in units of `statisticsUnit`: the pixels that it colors, and their squared error. Of the last step. */
  readonly statistics: GPUBuffer;

  constructor(device: GPUDevice, capacity: number, rows: Float32Array<ArrayBuffer>) {
    const rowBytes = capacity * rowLength * 4;
    this.device = device;
    this.buffers = new Buffers(device);
    this.capacity = capacity;
    this.count = this.buffers.storage("count", 4);
    this.parameters = this.buffers.storage("parameters", rowBytes);
    this.activated = this.buffers.storage("activated", rowBytes);
    this.gradients = this.buffers.storage("gradients", rowBytes);
    this.statistics = this.buffers.storage("statistics", capacity * 8);
    device.queue.writeBuffer(this.count, 0, new Uint32Array([rows.length / rowLength]));
    device.queue.writeBuffer(this.parameters, 0, rows);
  }
}

export const statisticsUnit = 2 ** -12;
