import type { Tensor, Update } from "../../backend/backend.js";
import { GradstepError } from "../../errors.js";
import { clearValues } from "../../packing/row-values.js";
import { checkDisjoint } from "../parameters/parameter-checks.js";
import type { ParameterRecord } from "../parameters/parameter-record.js";
import type { SparseInputs } from "../sparse/sparse-inputs.js";
import type { ArrayInputs } from "./array-inputs.js";

/** The inputs of a step, whose first updates are valid. */
interface TakenInputs {
  /** All of the optimizer. */
  readonly records: readonly ParameterRecord[];
  /** Those with a gradient, and their updates. */
  readonly taken: readonly ParameterRecord[];
  readonly updates: readonly Update[];
  readonly arrays: ArrayInputs;
  readonly sparse: SparseInputs;
}

/**
 * Sets gradients to 0 once they have been read (the option `clear`): the kernel that reads a tensor clears it, the host
 * clears typed arrays and the tensors that no such kernel reads.
 */
export class GradientClearing {
  readonly #inputs: TakenInputs;
  #isUsed = false;
  /** The gradients that were found to have memory of their own; undefined for arrays. */
  readonly #disjoint: (Tensor | undefined)[] = [];
  /** The first `#count` are valid. */
  readonly #onHost: Tensor[] = [];
  #count = 0;

  constructor(inputs: TakenInputs) {
    this.#inputs = inputs;
  }

  /** Whether the last step clears its gradients. */
  get isUsed(): boolean {
    return this.#isUsed;
  }

  /**
   * Notes for the first `count` updates whether their gradients are cleared.
   * @throws {GradstepError} `UNSUPPORTED`, `OVERLAPPING_MEMORY`; then nothing has changed
   */
  mark(count: number, isUsed: boolean): void {
    this.#count = 0;
    if (!isUsed && !this.#isUsed) return;
    if (isUsed) this.#check(count);
    const { records, updates, arrays } = this.#inputs;
    for (const { update } of records) update.clearsGradient = false;
    for (let i = 0; i < count; i += 1) updates[i].clearsGradient = isUsed;
    arrays.keepFromKernels();
    this.#isUsed = isUsed;
  }

  /** Lets the host clear the first `count`, because no kernel of the step reads them, or only one of arithmetic. */
  moveToHost(count: number): void {
    if (!this.#isUsed) return;
    for (let i = 0; i < count; i += 1) {
      const update = this.#inputs.updates[i];
      if (!update.clearsGradient) continue;
      update.clearsGradient = false;
      this.#onHost[this.#count] = update.gradient;
      this.#count += 1;
    }
  }

  /** Clears what no kernel clears. */
  clearOnHost(): void {
    if (!this.#isUsed) return;
    this.#inputs.arrays.clearValues();
    for (let i = 0; i < this.#count; i += 1) clearValues(this.#onHost[i]);
  }

  #check(count: number): void {
    const { taken, arrays, sparse } = this.#inputs;
    const disjoint = this.#disjoint;
    let isNew = disjoint.length !== count;
    for (let i = 0; i < count; i += 1) {
      const { name, update } = taken[i];
      const gradient = arrays.has(taken[i]) ? undefined : update.gradient;
      isNew ||= disjoint[i] !== gradient;
      if (sparse.has(taken[i])) {
        throw new GradstepError(
          `Got clear for a step with a sparse gradient of "${name}"; expected dense gradients. Write zeros to its values.`,
          { code: "UNSUPPORTED" },
        );
      }
      const { backend } = update.parameter;
      if (backend.takesLayouts !== true && gradient !== undefined) {
        throw new GradstepError(
          `Backend ${backend.name} does not clear gradients; expected a step without clear. Write zeros to them.`,
          { code: "UNSUPPORTED" },
        );
      }
    }
    if (!isNew) return;
    disjoint.length = 0;
    const gradients = taken
      .slice(0, count)
      .map((record) => (arrays.has(record) ? undefined : record.update.gradient));
    // One would read what the other has cleared.
    checkDisjoint(
      gradients.flatMap((gradient, i) =>
        gradient === undefined ? [] : [[`gradient of ${taken[i].name}`, gradient]],
      ),
    );
    disjoint.push(...gradients);
  }
}
