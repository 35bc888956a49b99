import type { GuardOptions } from "@gradstep/core";
import { bufferUsage } from "../device/webgpu-constants.js";
import { controlLength, controlWords } from "../shaders/control-block.js";
import { fromControl } from "../shaders/decide-kernel.js";
import { KeptScalars } from "./kept-scalars.js";

/** What the kernels of a guard share: counts, the finding of `check`, and the scalars of the last steps. */
export class GuardMemory {
  readonly control: GPUBuffer;
  readonly nonFinite: GPUBuffer;
  readonly kept: KeptScalars;
  /** The number of persistent scalars, in f64. */
  readonly persistentCount: number;
  readonly stopsAtNonFinite: boolean;
  /** Where the first scalar of an array comes from, as in the table of the decide kernel. */
  readonly #sources = new Map<Float64Array, number>();

  constructor(device: GPUDevice, options: GuardOptions) {
    const { scalars, divisor, persistent, stopsAtNonFinite } = options;
    this.stopsAtNonFinite = stopsAtNonFinite;
    this.kept = new KeptScalars(device, options);
    this.persistentCount = persistent.length;
    let source = this.kept.scalarsStart;
    for (const array of scalars) {
      this.#sources.set(array, source);
      source += array.length;
    }
    this.#sources.set(divisor, fromControl + controlWords.divisor);
    const { STORAGE, COPY_SRC, COPY_DST } = bufferUsage;
    const make = (label: string, size: number): GPUBuffer =>
      device.createBuffer({
        label: `gradstep guard, ${label}`,
        size,
        usage: STORAGE | COPY_SRC | COPY_DST,
      });
    this.control = make("counts", controlLength(persistent.length));
    this.nonFinite = make("finding", 4);
  }

  /** Where the first scalar of an array comes from. */
  sourceOf(scalars: Float64Array): number {
    return this.#sources.get(scalars)!;
  }

  destroy(): void {
    for (const buffer of [this.control, this.nonFinite, this.kept.buffer]) buffer.destroy();
  }
}
