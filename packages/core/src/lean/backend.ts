import type { Backend, Kernel, Tensor } from "../backend/backend.js";
import type { Variant } from "../rule/variant.js";
import type { LeanVariant } from "./rule.js";

/** A backend that has the kernels of these rules. */
export interface LeanBackend extends Backend {
  readonly isLean: true;
  /** @throws {GradstepError} `UNSUPPORTED` */
  compile(variant: LeanVariant | Variant): Kernel;
}

/** A tensor of such a backend. */
export interface LeanTensor extends Tensor {
  readonly backend: LeanBackend;
}
