import type { Tensor, Update } from "../../backend/backend.js";
import type { ParameterRecord } from "../parameters/parameter-record.js";
import type { Gradients } from "./gradients.js";

/** Recognizes a step with the same gradients as the last one, which most steps are. */
export class StepRepetition {
  readonly #taken: readonly ParameterRecord[];
  readonly #updates: readonly Update[];
  /** Number of updates of the last step if it can be repeated, otherwise 0. */
  #count = 0;
  /** Names and gradients of the last step, noted at the first repetition: the next one compares only these. */
  readonly #names: string[] = [];
  readonly #gradients: Tensor[] = [];
  #isNoted = false;

  /**
   * @param taken the records of the last step
   * @param updates their updates
   */
  constructor(taken: readonly ParameterRecord[], updates: readonly Update[]) {
    this.#taken = taken;
    this.#updates = updates;
  }

  /** To be called when a kernel has run the first `count` updates. After a run that throws, the step is not repeated. */
  allow(count: number): void {
    this.#count = count;
  }

  /** To be called when the last step cannot be repeated, because updates were replaced or removed. */
  forget(): void {
    this.#count = 0;
    this.#isNoted = false;
  }

  /** Whether the gradients are the tensors of the last run, under the same names and in the order of the parameters. */
  matches(gradients: Gradients): boolean {
    const names = this.#names;
    const tensors = this.#gradients;
    const isNoted = this.#isNoted;
    let count = 0;
    try {
      for (const name in gradients) {
        if (count === this.#count) return false;
        if (!isNoted) {
          names[count] = this.#taken[count].name;
          tensors[count] = this.#updates[count].gradient;
        }
        if (names[count] !== name || tensors[count] !== gradients[name]) return false;
        count += 1;
      }
    } catch {
      // A proxy that was revoked; the checks of a step refuse it.
      return false;
    }
    if (count === 0 || count < this.#count) return false;
    this.#isNoted = true;
    return true;
  }
}
