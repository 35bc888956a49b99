import type { Backend, Kernel, Update } from "../../backend/backend.js";
import type { Variant } from "../../rule/variant.js";

/** Executes a kernel, or records it for later. */
export type KernelRunner = (kernel: Kernel, updates: readonly Update[], count: number) => void;

/** The kernels of gradient arithmetic on one backend, compiled when they are needed. */
export class ArithmeticKernels {
  readonly #kernels = new Map<Variant, Kernel>();
  readonly #backend: Backend;

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  get(variant: Variant): Kernel {
    let kernel = this.#kernels.get(variant);
    if (kernel === undefined) {
      kernel = this.#backend.compile(variant);
      this.#kernels.set(variant, kernel);
    }
    return kernel;
  }
}
