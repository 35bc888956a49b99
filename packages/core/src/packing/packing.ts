import { propertyOf } from "../argument-checks/property-of.js";
import { ascending } from "../backend/ascending.js";
import type {
  Backend,
  BatchRun,
  Kernel,
  ParameterCopy,
  Tensor,
  Update,
} from "../backend/backend.js";
import { checkArgument, checkFilledCopy, checkRuns } from "../backend/host-call-checks.js";
import { rowStrideOf, storedValues } from "../backend/stored-values.js";
import { usedRuns } from "../backend/used-runs.js";
import { roundingTo, type Rounding } from "../language/precision.js";
import { isElementwise } from "../rule/elementwise.js";
import type { Variant } from "../rule/variant.js";
import { BlockRunner, ScratchTensors } from "./block-runner.js";
import { fillCopyRows } from "./row-values.js";
import { UpdatedRows } from "./updated-rows.js";
import { PackingKernel } from "./packing-kernel.js";

/**
 * For a backend in host memory whose kernels take plain tensors alone: makes kernels of them that respect layouts, copies,
 * activations and clearing. Plain updates run as before.
 */
export class Packing {
  readonly #round: Rounding;
  readonly #scratch: ScratchTensors;
  readonly #rows = new UpdatedRows();
  readonly #kernels = new WeakMap<Kernel, PackingKernel>();
  /** One for each run of `runTogether`, and those of them with updates; reused. */
  readonly #plainRuns: PlainRun[] = [];
  readonly #usedRuns: PlainRun[] = [];

  /** @throws {GradstepError} `INVALID_PARAMETER` */
  constructor(backend: Backend) {
    const isBackend = typeof propertyOf(backend, "tensor") === "function";
    checkArgument(isBackend, "The backend of Packing", backend, "one with precision and tensor()");
    this.#round = roundingTo(backend.precision);
    this.#scratch = new ScratchTensors(backend);
  }

  /** The kernel that makes plain updates of others for `plain`. */
  kernel(variant: Variant, plain: Kernel): Kernel {
    const blocks = isElementwise(variant)
      ? new BlockRunner(variant, plain, this.#scratch, this.#round)
      : undefined;
    const packing = new PackingKernel({
      variant,
      plain,
      blocks,
      rows: this.#rows,
      round: this.#round,
    });
    const kernel: Kernel = {
      source: plain.source,
      run: (updates, count) => packing.run(updates, count),
      release: (update) => packing.release(update),
      ...(plain.takesRowLists === true && { takesRowLists: true }),
      // It repeats nothing but a run of `plain` with the same list, which is never one with packed updates.
      ...(plain.repeater !== undefined && { repeater: plain.repeater.bind(plain) }),
    };
    this.#kernels.set(kernel, packing);
    return kernel;
  }

  /**
   * `Backend.runTogether`.
   * @param run the same for the kernels that `kernel` was given
   * @throws {GradstepError} `INVALID_PARAMETER`; then nothing has changed
   */
  runTogether(runs: readonly BatchRun[], run: (plainRuns: readonly BatchRun[]) => void): void {
    checkRuns(runs, this.#kernels);
    const plainRuns = this.#plainRuns;
    plainRuns.length = runs.length;
    for (let i = 0; i < runs.length; i += 1) {
      const { kernel, updates, count } = runs[i];
      const packing = this.#kernels.get(kernel!)!;
      const plain = (plainRuns[i] ??= { kernel: undefined, updates: [], count: 0 });
      plain.kernel = packing.plain;
      plain.count = packing.prepare(updates, count, plain.updates);
    }
    run(usedRuns(plainRuns, this.#usedRuns));
    for (const { kernel, updates, count } of runs)
      this.#kernels.get(kernel!)!.finish(updates, count);
  }

  /** `Backend.fillCopy`. @throws {GradstepError} `INVALID_PARAMETER`, `LENGTH_MISMATCH`, `DISPOSED` */
  fillCopy(parameter: Tensor, copy: ParameterCopy): void {
    checkFilledCopy(parameter, copy);
    const count = parameter.shape[0] ?? 1;
    const all = ascending(count);
    const values = storedValues(parameter);
    fillCopyRows(copy, values, rowStrideOf(parameter), all, all, count, this.#round);
  }
}

/** The plain updates of a run. */
interface PlainRun extends BatchRun {
  kernel: Kernel | undefined;
  readonly updates: Update[];
  count: number;
}
