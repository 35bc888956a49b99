import {
  newRow,
  type RowList,
  type RowScalars,
  type RowValues,
  type Tensor,
  type Update,
} from "../../backend/backend.js";
import type { Values } from "../../backend/memory.js";
import { ascending } from "../../backend/ascending.js";
import { plainUpdate } from "../../backend/plain-update.js";
import { gradientPool } from "../parameters/slot-allocation.js";
import type { Group } from "../groups/group.js";
import type { StepScalars } from "../step/step-scalars.js";
import type { KernelRunner } from "../step-control/arithmetic-kernels.js";
import { unselection } from "../step-control/gradient-arithmetic.js";
import { RowScalarSets, type StepWindow } from "./row-scalar-sets.js";

/** The steps that rows have taken, as a device counts them. */
export interface RowReading {
  /** Undefined when a state was restored since. */
  target: GuardedRowSteps | undefined;
  readonly values: Promise<Values>;
  /** Per row: those that the host assumed when it asked. */
  before: Uint32Array;
  /** Per row: where it was then; `newRow` if it began at 0 since. */
  sources: Uint32Array;
}

/** The steps that each row of a parameter has taken, on a device that decides which steps are taken. */
export class GuardedRowSteps {
  /** Per row: the steps taken, as the bits of a u32. */
  readonly memory: Tensor;
  /** The same as u32. */
  readonly counts: Tensor;
  /** Per row: those if all steps since the last reading were taken. */
  readonly most: Uint32Array;
  /** Per row: those of the last reading. */
  readonly known: Uint32Array;
  readonly #readings: Set<RowReading>;
  #reset: Update | undefined;
  #sets: RowScalarSets | undefined;

  private constructor(
    memory: Tensor,
    most: Uint32Array,
    known: Uint32Array,
    readings: Set<RowReading>,
  ) {
    this.memory = memory;
    this.counts = memory.backend.maskOf!(memory);
    this.most = most;
    this.known = known;
    this.#readings = readings;
    for (const reading of readings) reading.target = this;
  }

  /** @param counts which is kept. @throws {GradstepError} `OUT_OF_MEMORY` */
  static begin({ backend }: Tensor, counts: Uint32Array): GuardedRowSteps {
    const memory = backend.tensor([counts.length], undefined, gradientPool);
    const steps = new GuardedRowSteps(memory, counts, counts.slice(), new Set());
    steps.restore();
    return steps;
  }

  /** Takes what the host assumes as what was taken. */
  restore(): void {
    this.known.set(this.most);
    this.counts.write(this.most);
    for (const reading of this.#readings) reading.target = undefined;
    this.#readings.clear();
  }

  /** Lets the device begin at 0. @param rows all if undefined. @param parameter whose rows they are */
  resetOnDevice(rows: RowValues | undefined, parameter: Tensor, run: KernelRunner): void {
    this.#reset ??= plainUpdate({
      parameter: this.memory,
      gradient: parameter,
      slots: [],
      scalars: new Float64Array(0),
    });
    this.#reset.mask = rows;
    run(this.memory.backend.compile(unselection()), [this.#reset], 1);
  }

  /** Begins at 0 in rows that the host has reset. */
  reset(isReset: (row: number) => boolean): void {
    for (let row = 0; row < this.known.length; row += 1) {
      if (!isReset(row)) continue;
      this.known[row] = 0;
      for (const { sources } of this.#readings) sources[row] = newRow;
    }
  }

  /**
   * To be called after the memory was moved with the rows.
   * @param most as in the constructor
   * @param sourceOf where a row was; `newRow` if it begins at 0
   */
  remapped(most: Uint32Array, sourceOf: (row: number) => number): GuardedRowSteps {
    const moved = (values: Uint32Array, initial: number): Uint32Array =>
      most.map((_, row) => (sourceOf(row) === newRow ? initial : values[sourceOf(row)]));
    for (const reading of this.#readings) {
      reading.before = moved(reading.before, 0);
      reading.sources = moved(reading.sources, newRow);
    }
    return new GuardedRowSteps(this.memory, most, moved(this.known, 0), this.#readings);
  }

  /**
   * What the device chooses the scalars of these rows from, for the next step. Valid until the next call.
   * @param scalars computes those of one step of the group
   */
  scalarsOf(group: Group, scalars: StepScalars, list: RowList, window: StepWindow): RowScalars {
    this.#sets ??= new RowScalarSets(group, scalars);
    return { counts: this.counts, ...this.#sets.of(list.indices, list.end, this, window) };
  }

  /** Asks for the counts after everything that was called before. */
  read(): RowReading {
    const reading: RowReading = {
      target: this,
      values: this.counts.read(),
      before: this.most.slice(),
      sources: ascending(this.most.length).slice(0, this.most.length),
    };
    this.#readings.add(reading);
    return reading;
  }

  /** To be called when a reading is not used. */
  forget(reading: RowReading): void {
    this.#readings.delete(reading);
  }

  /** Corrects what the host assumes. @param hasStopped whether the device has taken no step since the reading */
  correct(reading: RowReading, values: Values, hasStopped: boolean): void {
    const { most, known } = this;
    const { before, sources } = reading;
    this.forget(reading);
    for (let row = 0; row < most.length; row += 1) {
      const source = sources[row];
      const taken = source === newRow ? 0 : values[source];
      const since = source === newRow ? most[row] : most[row] - before[row];
      const next = hasStopped ? taken : taken + since;
      for (const other of this.#readings) other.before[row] -= most[row] - next;
      known[row] = taken;
      most[row] = next;
    }
  }

  free(): void {
    this.memory.free();
  }
}
