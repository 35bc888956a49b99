import { psnr, type Picture } from "../picture.js";
import { recordEvery } from "../training-settings.js";
import type { Report } from "../trainer.js";
import { Kernel } from "./kernel.js";
import type { Renderer } from "./renderer.js";
import type { SplatBuffers } from "./splat-buffers.js";

const threads = 256;

/** WGSL of the record of a training. */
export const historyStruct = /* wgsl */ `
struct Entry { squared_error: f32, count: u32 }
struct History { length: u32, rounds: u32, pruned: u32, split: u32, entries: array<Entry> }
`;

const headerByteLength = 16;

/** Appends the squared error of the image and the number of splats. One workgroup, whose sums are joined pairwise. */
const code = (pixels: number): string => /* wgsl */ `
${historyStruct}
@group(0) @binding(0) var<storage, read> count: u32;
@group(0) @binding(1) var<storage, read> image: array<vec4f>;
@group(0) @binding(2) var<storage, read> picture: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> history: History;

var<workgroup> sums: array<f32, ${threads}>;

@compute @workgroup_size(${threads})
fn main(@builtin(local_invocation_index) thread: u32) {
  var sum = 0f;
  for (var pixel = thread; pixel < ${pixels}; pixel += ${threads}) {
    let error = image[pixel].rgb - picture[pixel].rgb;
    sum += dot(error, error);
  }
  sums[thread] = sum;
  for (var half = ${threads / 2}u; half > 0; half /= 2) {
    workgroupBarrier();
    if (thread < half) { sums[thread] += sums[thread + half]; }
  }
  if (thread == 0 && history.length < arrayLength(&history.entries)) {
    history.entries[history.length] = Entry(sums[0], count);
    history.length++;
  }
}
`;

/** The record of a training, kept on the GPU: the loop never waits for it. */
export class History {
  readonly buffer: GPUBuffer;
  readonly #picture: Picture;
  readonly #append: Kernel;

  constructor(splats: SplatBuffers, renderer: Renderer, picture: Picture, steps: number) {
    const { device, buffers, count } = splats;
    const entries = Math.floor(steps / recordEvery) + 1;
    this.#picture = picture;
    this.buffer = buffers.storage("history", headerByteLength + 8 * entries);
    this.#append = new Kernel(device, "append to history", code(picture.colors.length / 3), [
      count,
      renderer.image,
      renderer.picture,
      this.buffer,
    ]);
  }

  /** Records an entry of the current image. */
  append(pass: GPUComputePassEncoder): void {
    this.#append.dispatch(pass, 1);
  }

  /** @param bytes a copy of the buffer */
  decode(bytes: ArrayBuffer): Report {
    const [length, rounds, pruned, split] = new Uint32Array(bytes, 0, 4);
    const errors = new Float32Array(bytes, headerByteLength, 2 * length);
    const counts = new Uint32Array(bytes, headerByteLength, 2 * length);
    const places = Array.from({ length }, (_, i) => 2 * i);
    return {
      psnr: places.map((i) => psnr(errors[i], this.#picture)),
      counts: places.map((i) => counts[i + 1]),
      rounds,
      pruned,
      split,
    };
  }
}
