import type { RowValues, Tensor, Update } from "../../backend/backend.js";
import { plainUpdate } from "../../backend/plain-update.js";
import type { Variant } from "../../rule/variant.js";
import { gradientPool } from "../parameters/slot-allocation.js";
import type { ArithmeticKernels, KernelRunner } from "./arithmetic-kernels.js";
import { selection, unselection } from "./gradient-arithmetic.js";

/** The rows that the masks of several calls select, on a device: 1 per selected row, otherwise 0. */
export class SelectedRows {
  #update: Update;
  #mask: Tensor | undefined;

  /** @param parameter whose rows these are. @throws {GradstepError} `OUT_OF_MEMORY` */
  constructor(parameter: Tensor) {
    const { backend, shape } = parameter;
    const flags = backend.tensor([shape[0]], new Float32Array(shape[0]), gradientPool);
    this.#update = updateOf(flags, parameter);
  }

  /** 1 or 0 per row. */
  get flags(): Tensor {
    return this.#update.parameter;
  }

  /** The mask for a step. */
  get mask(): Tensor {
    this.#mask ??= this.flags.backend.maskOf!(this.flags);
    return this.#mask;
  }

  /** Adds the rows of a mask. */
  add(mask: RowValues, kernels: ArithmeticKernels, run: KernelRunner): void {
    this.#update.mask = mask;
    this.#run(selection(), kernels, run);
  }

  /** Selects no row. */
  clear(kernels: ArithmeticKernels, run: KernelRunner): void {
    this.#update.mask = undefined;
    this.#run(unselection(), kernels, run);
  }

  /** Replaces the rows at once. @param rows no row if undefined */
  write(rows: Uint32Array | undefined): void {
    const { flags } = this;
    flags.write(Float32Array.from({ length: flags.size }, (_, row) => +((rows?.[row] ?? 0) !== 0)));
  }

  /** As a mask on the host. */
  async read(): Promise<Uint32Array> {
    return Uint32Array.from(await this.flags.read());
  }

  /** To be called after the flags were moved with the rows. */
  remapped(parameter: Tensor): void {
    this.#update = updateOf(this.flags, parameter);
    this.#mask = undefined;
  }

  free(): void {
    this.flags.free();
  }

  #run(variant: Variant, kernels: ArithmeticKernels, run: KernelRunner): void {
    run(kernels.get(variant), [this.#update], 1);
  }
}

/** The kernels read no gradient. */
function updateOf(flags: Tensor, gradient: Tensor): Update {
  return plainUpdate({ parameter: flags, gradient, slots: [], scalars: new Float64Array(0) });
}
