import type { Backend, Kernel, Tensor } from "../backend/backend.js";
import { plainUpdate } from "../backend/plain-update.js";
import { GradstepError } from "../errors.js";
import type { Variant } from "../rule/variant.js";
import type { Group } from "./groups/group.js";
import type { ParameterRecord } from "./parameters/parameter-record.js";
import { gradientPool } from "./parameters/slot-allocation.js";
import { StepScalars } from "./step/step-scalars.js";

/** A parameter whose values are those to evaluate with, and its values for training. */
interface Swapped {
  readonly record: ParameterRecord;
  readonly trained: Tensor;
}

/** Exchanges parameters with the weights to evaluate with, which some rules and stages keep apart. */
export class Evaluation {
  #swapped: readonly Swapped[] = [];

  /** Whether the parameters hold the weights to evaluate with. */
  get isSwapped(): boolean {
    return this.#swapped.length > 0;
  }

  /** @throws {GradstepError} `SWAPPED` */
  checkTrains(): void {
    if (this.isSwapped)
      throw new GradstepError(
        "The parameters hold the weights to evaluate with; call swap() once more before you train, save or restore.",
        { code: "SWAPPED" },
      );
  }

  /**
   * Exchanges them. Values for training are kept in memory of the backend until the next call.
   * @throws {GradstepError} `UNSUPPORTED`, `OUT_OF_MEMORY`; then nothing has changed
   */
  swap(backend: Backend | undefined, records: readonly ParameterRecord[]): void {
    if (this.isSwapped) {
      this.#swapBack(backend!);
      return;
    }
    const evaluated = records.filter(({ group }) => group.context.variant.evaluation !== undefined);
    if (backend === undefined || evaluated.length === 0) {
      throw new GradstepError(
        "The rule keeps no weights to evaluate with: its parameters are these. Use a rule or stage that has some, such as ema().",
        { code: "UNSUPPORTED" },
      );
    }
    if (backend.copy === undefined) {
      throw new GradstepError(
        `Backend ${backend.name} cannot copy tensors, which exchanging weights needs. Use another backend.`,
        { code: "UNSUPPORTED" },
      );
    }
    const kernels = new Map<Variant, Kernel>();
    for (const { group } of evaluated) {
      const { evaluation } = group.context.variant;
      kernels.set(evaluation!, backend.compile(evaluation!));
    }
    this.#swapped = keepTrained(backend, evaluated);
    const scalars = new Map<Group, Float64Array>();
    for (const { group, update } of evaluated) {
      const evaluation = group.context.variant.evaluation!;
      const values = scalars.get(group) ?? scalarsOf(evaluation, group);
      scalars.set(group, values);
      const slots = evaluation.slots.map(({ name }) => update.slots[slotIndex(group, name)]);
      const one = {
        ...plainUpdate({
          parameter: update.parameter,
          gradient: update.parameter,
          slots,
          scalars: values,
        }),
        copies: update.copies,
      };
      const kernel = kernels.get(evaluation)!;
      kernel.run([one], 1);
      kernel.release?.(one);
    }
  }

  #swapBack(backend: Backend): void {
    for (const { record, trained } of this.#swapped) {
      const { parameter, copies } = record.update;
      if (parameter.freed) continue;
      backend.copy!(trained, parameter);
      for (const copy of copies) backend.fillCopy!(parameter, copy);
    }
    this.free();
  }

  /** Frees what it keeps. */
  free(): void {
    for (const { trained } of this.#swapped) trained.free();
    this.#swapped = [];
  }
}

function slotIndex({ context }: Group, name: string): number {
  return context.variant.slots.findIndex((slot) => slot.name === name);
}

/**
 * Copies of the parameters, in other buffers: WebGPU copies only from one to another.
 * @throws {GradstepError} `OUT_OF_MEMORY`
 */
function keepTrained(backend: Backend, records: readonly ParameterRecord[]): readonly Swapped[] {
  const kept: Swapped[] = [];
  try {
    for (const record of records) {
      const { shape } = record.update.parameter;
      kept.push({ record, trained: backend.tensor(shape, undefined, gradientPool) });
    }
  } catch (error) {
    for (const { trained } of kept) trained.free();
    throw error;
  }
  for (const { record, trained } of kept) backend.copy!(record.update.parameter, trained);
  return kept;
}

/** The scalars of the last step. */
function scalarsOf(variant: Variant, group: Group): Float64Array {
  const scalars = new StepScalars(variant, group, group.context.clock);
  scalars.compute(Math.max(1, group.iterations));
  return scalars.values;
}
