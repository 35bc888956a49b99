import type { RowScalars } from "../../backend/backend.js";
import type { Group } from "../groups/group.js";
import { groupStepsBetween } from "./group-steps.js";
import type { StepScalars } from "../step/step-scalars.js";

/** The steps that may be a device's next one, from the first to the last. */
export interface StepWindow {
  readonly first: number;
  readonly last: number;
  /** The first step that the device had not taken at the last reading. */
  readonly read: number;
}

/** The most steps of a window, and the most counts that a row may have. */
export const maxWindowLength = 64;

/** What the host knows of the steps that each row has taken. */
interface CountBounds {
  /** Those of its last reading. */
  readonly known: Uint32Array;
  /** Those if all steps since then were taken. */
  readonly most: Uint32Array;
}

/** The scalars of rows whose steps a device counts: a set for each number of steps that one of them may have taken. */
export class RowScalarSets {
  readonly #group: Group;
  readonly #scalars: StepScalars;
  /** Per row of the list: the range of its counts, as a number that sorts by the least of them. */
  #keys = new Float64Array(0);
  #offsets = new Uint32Array(0);
  /** Ranges of counts without gaps, in ascending order, and the number of sets before each. */
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  readonly #bases: number[] = [];
  #values = new Float64Array(0);

  constructor(group: Group, scalars: StepScalars) {
    this.#group = group;
    this.#scalars = scalars;
  }

  /** The scalars of the first `length` rows in a list, for the next step. Valid until the next call. */
  of(
    indices: Uint32Array,
    length: number,
    { known, most }: CountBounds,
    { first, last, read }: StepWindow,
  ): Omit<RowScalars, "counts"> {
    if (length > this.#keys.length) {
      const capacity = Math.max(length, 2 * this.#keys.length);
      this.#keys = new Float64Array(capacity);
      this.#offsets = new Uint32Array(capacity);
    }
    const keys = this.#keys.subarray(0, length);
    const { every } = this.#group;
    // With every, which steps were skipped changes in which of the following ones the group took part.
    const taken = every === 1 ? Infinity : groupStepsBetween(this.#group, read, last - 1);
    const mostOf = (row: number): number => Math.min(most[row], known[row] + taken);
    const leastOf = (row: number): number =>
      every === 1 ? Math.max(known[row], most[row] - (last - first)) : known[row];
    for (let i = 0; i < length; i += 1) {
      const least = leastOf(indices[i]);
      keys[i] = least * maxWindowLength + (mostOf(indices[i]) - least);
    }
    keys.sort();
    const setsPerStep = this.#findRanges(keys);
    for (let i = 0; i < length; i += 1) this.#offsets[i] = this.#offsetOf(leastOf(indices[i]));
    // Without a schedule, the scalars of a row depend on its count alone.
    const steps = this.#group.isScheduled ? last - first + 1 : 1;
    this.#compute(first, steps, setsPerStep);
    return {
      offsets: this.#offsets,
      firstStep: first,
      setsPerStep: steps === 1 ? 0 : setsPerStep,
      values: this.#values,
      setCount: steps * setsPerStep,
    };
  }

  /** Joins ranges that have no gap between them; returns the number of counts in all of them. */
  #findRanges(keys: Float64Array): number {
    const [starts, ends, bases] = [this.#starts, this.#ends, this.#bases];
    let [ranges, count] = [0, 0];
    for (let i = 0; i < keys.length; i += 1) {
      const start = Math.floor(keys[i] / maxWindowLength);
      const end = start + (keys[i] % maxWindowLength);
      if (ranges === 0 || start > ends[ranges - 1] + 1) {
        starts[ranges] = start;
        ends[ranges] = start - 1;
        bases[ranges] = count;
        ranges += 1;
      }
      const known = ends[ranges - 1];
      if (end <= known) continue;
      count += end - known;
      ends[ranges - 1] = end;
    }
    starts.length = ranges;
    return count;
  }

  /** What is added to a count for the index of its set. */
  #offsetOf(count: number): number {
    const starts = this.#starts;
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle] <= count) low = middle;
      else high = middle - 1;
    }
    return this.#bases[low] - starts[low];
  }

  #compute(first: number, steps: number, setsPerStep: number): void {
    const { values } = this.#scalars;
    const length = steps * setsPerStep * values.length;
    if (length > this.#values.length)
      this.#values = new Float64Array(Math.max(length, 2 * this.#values.length));
    const { clock } = this.#group.context;
    const { iterations } = clock;
    let place = 0;
    try {
      for (let step = 0; step < steps; step += 1) {
        if (steps > 1) clock.iterations = first + step - 1;
        for (let range = 0; range < this.#starts.length; range += 1) {
          for (let count = this.#starts[range]; count <= this.#ends[range]; count += 1) {
            this.#group.computeScalars(this.#scalars, count + 1);
            this.#values.set(values, place);
            place += values.length;
          }
        }
      }
    } finally {
      clock.iterations = iterations;
    }
  }
}
