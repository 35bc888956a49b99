import type { Backend, BatchRun, Tensor, Update } from "../src/backend/backend.js";
import type { Guard, GuardCounts, GuardOptions } from "../src/backend/guard.js";
import { rowValuesOf, storedValues } from "../src/backend/stored-values.js";

/** Work that was encoded. */
export type Target = (() => void)[];

/** The scalars of one step. */
interface KeptStep {
  readonly t: number;
  readonly epoch: number;
  readonly kind: number;
  readonly persistent: Float64Array;
  readonly scalars: readonly Float64Array[];
}

/** Updates as they are now, with their scalars. */
export function copyOf(updates: readonly Update[], count: number): readonly Update[] {
  return updates.slice(0, count).map((update) => ({ ...update, scalars: update.scalars.slice() }));
}

const { fround } = Math;

/** A guard whose device is the host: each call does what the comments of `Guard` say. */
export class HostGuard implements Guard {
  readonly lossScale: Tensor;
  readonly #backend: Backend;
  readonly #options: GuardOptions;
  #counts: { -readonly [K in keyof GuardCounts]: GuardCounts[K] };
  #resumed = 0;
  #isFinite = true;
  #hasScalars = true;
  readonly #kept: KeptStep[] = [];
  #epoch = 0;
  /** What is added to the number of a step for its place among those that are kept. */
  #offset = 0;
  #end = 0;
  #kind: number | undefined;
  #first = 0;

  constructor(backend: Backend, options: GuardOptions) {
    this.#backend = backend;
    this.#options = options;
    this.lossScale = this.#backend.tensor([1]);
    this.#counts = {
      steps: 0,
      skippedSteps: 0,
      consecutiveSkips: 0,
      goodSteps: 0,
      lossScale: 1,
      persistent: new Float64Array(options.persistent.length),
      missedSteps: 0,
      stops: 0,
      stopCause: undefined,
    };
  }

  replaceScalars(t: number): void {
    this.#epoch += 1;
    this.#offset = this.#end - t;
  }

  writeScalars(t: number, kind: number): void {
    const { scalars, persistent, keptSteps } = this.#options;
    const place = t + this.#offset;
    this.#kept[place % keptSteps] = {
      t,
      epoch: this.#epoch,
      kind,
      persistent: persistent.slice(),
      scalars: scalars.map((one) => one.slice()),
    };
    this.#end = Math.max(this.#end, place + 1);
  }

  startAt(t: number): void {
    this.#first = t;
  }

  restrict(kind: number | undefined): void {
    this.#kind = kind;
  }

  check(updates: readonly Update[], count: number, target?: Target): void {
    const all = copyOf(updates, count);
    this.#record(target, () => {
      if (!all.every(isFiniteWhereRead)) this.#isFinite = false;
    });
  }

  run(runs: readonly BatchRun[], target?: Target): void {
    // Scalars are those of the device's step: the arrays are the same.
    const all = runs.map(({ kernel, updates, count }) => ({
      kernel,
      updates: updates.slice(0, count).map((update) => ({ ...update })),
      count,
    }));
    this.#record(target, (step) => {
      const { stopsAtNonFinite } = this.#options;
      if (this.#hasStopped) return;
      if (!this.#isFinite) {
        if (stopsAtNonFinite) return;
        for (const { updates } of all)
          for (const { clearsGradient, gradient } of updates)
            if (clearsGradient) storedValues(gradient).fill(0);
        return;
      }
      if (!this.#hasScalars) return;
      this.#counts.persistent = step!.persistent;
      this.#withScalars(step!, () => this.#execute(all));
    });
  }

  advance(target?: Target): void {
    const work = (): void => {
      const counts = this.#counts;
      const { stopsAtNonFinite, lossScale } = this.#options;
      const stop = (cause: "nonFinite" | "scalars"): void => {
        counts.stops += 1;
        counts.missedSteps += 1;
        counts.stopCause = cause;
      };
      if (this.#hasStopped) counts.missedSteps += 1;
      else if (!this.#isFinite && stopsAtNonFinite) stop("nonFinite");
      else if (!this.#isFinite) {
        counts.skippedSteps += 1;
        counts.consecutiveSkips += 1;
        counts.goodSteps = 0;
        counts.lossScale = fround(counts.lossScale * lossScale.backoffFactor);
      } else if (!this.#hasScalars) stop("scalars");
      else {
        counts.steps += 1;
        counts.consecutiveSkips = 0;
        counts.goodSteps += 1;
        if (counts.goodSteps === lossScale.growthInterval) {
          counts.goodSteps = 0;
          const grown = fround(counts.lossScale * lossScale.growthFactor);
          if (grown < Infinity) counts.lossScale = grown;
        }
      }
      this.lossScale.write([counts.lossScale]);
      this.#isFinite = true;
      this.#hasScalars = true;
    };
    if (target === undefined) work();
    else target.push(work);
  }

  read(): Promise<GuardCounts> {
    return Promise.resolve({ ...this.#counts, persistent: this.#counts.persistent.slice() });
  }

  resume(stops: number): void {
    this.#resumed = stops;
  }

  write(counts: GuardCounts): void {
    this.#counts = { ...counts, persistent: counts.persistent.slice() };
    this.#resumed = counts.stops;
    this.lossScale.write([counts.lossScale]);
  }

  dispose(): void {
    this.lossScale.free();
  }

  get #hasStopped(): boolean {
    return this.#counts.stops !== this.#resumed;
  }

  /** Does something if the next step is of the right kind, now or when the target is submitted. */
  #record(target: Target | undefined, work: (step: KeptStep | undefined) => void): void {
    const [epoch, offset, kind, first] = [this.#epoch, this.#offset, this.#kind, this.#first];
    const { keptSteps } = this.#options;
    const all = (): void => {
      const t = this.#counts.steps + 1;
      const step = this.#kept[(((t + offset) % keptSteps) + keptSteps) % keptSteps];
      if (step?.t !== t || step.epoch !== epoch || t < first) this.#hasScalars = false;
      if (kind === undefined || kind === step?.kind) work(step);
    };
    if (target === undefined) all();
    else target.push(all);
  }

  #withScalars({ scalars }: KeptStep, work: () => void): void {
    const { divisor, accumulate } = this.#options;
    const arrays = [...this.#options.scalars, divisor];
    const before = arrays.map((one) => one.slice());
    const values = [...scalars, [fround(this.#counts.lossScale * accumulate)]];
    arrays.forEach((one, i) => one.set(values[i]));
    try {
      work();
    } finally {
      arrays.forEach((one, i) => one.set(before[i]));
    }
  }

  #execute(runs: readonly BatchRun[]): void {
    const all = runs.map((run) => {
      const updates = run.updates.flatMap((update) => this.#updatesOfRows(update));
      return { ...run, updates, count: updates.length };
    });
    if (all.length > 1) this.#backend.runTogether!(all);
    else all[0].kernel!.run(all[0].updates, all[0].count);
  }

  /** One update per row that counts its own steps. */
  #updatesOfRows(update: Update): readonly Update[] {
    const { rows } = update;
    if (rows === undefined || !("start" in rows) || rows.scalars === undefined) return [update];
    const { counts, offsets, firstStep, setsPerStep, values } = rows.scalars;
    const taken = rowValuesOf(counts);
    const { length } = update.scalars;
    const t = this.#counts.steps + 1;
    return Array.from({ length: rows.end - rows.start }, (_, k) => {
      const i = rows.start + k;
      const row = rows.indices[i];
      const set = (taken[row] + offsets[i] + setsPerStep * (t - firstStep)) >>> 0;
      taken[row] += 1;
      return {
        ...update,
        rows: { ...rows, start: i, end: i + 1, scalars: undefined },
        scalars: values.slice(set * length, (set + 1) * length),
      };
    });
  }
}

/** Whether the gradient is finite in the rows that a mask selects; as a whole if there is a list of rows. */
function isFiniteWhereRead({ gradient, mask, rows }: Update): boolean {
  const values = storedValues(gradient);
  const selected = rows === undefined && mask !== undefined ? rowValuesOf(mask) : undefined;
  const columns = selected === undefined ? 1 : values.length / selected.length;
  for (let i = 0; i < values.length; i += 1)
    if (selected?.[Math.floor(i / columns)] !== 0 && !Number.isFinite(values[i])) return false;
  return true;
}
