import type { UnselectedRows } from "@gradstep/core";
import {
  countingStep,
  firstTotal,
  type CountingScalars,
  type CountingValues,
} from "./counting-rule.js";

/** Hyperparameters that a group may override. */
export type Overrides = Partial<Record<"learningRate" | "weightDecay" | "alpha" | "every", number>>;

/** A group of the plain optimizer. The first one holds the optimizer's own hyperparameters. */
export interface PlainGroup {
  readonly names: string[];
  overrides: Overrides;
  iterations: number;
  /** Whether it stays as it is. */
  frozen: boolean;
  /** The persistent scalar. */
  total: number;
}

/** What a state of the plain optimizer holds: everything but the parameters. */
export interface PlainState {
  readonly iterations: number;
  readonly groups: readonly PlainGroupState[];
  readonly slots: ReadonlyMap<string, readonly Omit<CountingValues, "p">[]>;
}

/** Of one group. */
export interface PlainGroupState {
  readonly overrides: Overrides;
  /** Follows from `every` if left out. */
  readonly iterations?: number;
  /** False if left out. */
  readonly frozen?: boolean;
  readonly total: number;
}

/** Options of a step. */
export interface PlainStepOptions {
  readonly rows?: Readonly<Record<string, Uint32Array | undefined>>;
  readonly unselectedRows?: UnselectedRows;
}

/**
 * What an optimizer with the counting rule does, in plain JavaScript, without any code of the library: the definition of
 * groups, `every`, masks, persistent scalars and row moves that backends and optimizers are compared with.
 */
export class PlainOptimizer {
  readonly groups: readonly PlainGroup[];
  /** Elements by parameter. */
  readonly values = new Map<string, CountingValues[]>();
  readonly rowLength: number;
  iterations = 0;

  /** @param groups the names and hyperparameters of each group; those of the optimizer itself come first. */
  constructor(
    groups: readonly { names: readonly string[]; overrides: Overrides }[],
    rowLength: number,
  ) {
    this.rowLength = rowLength;
    this.groups = groups.map(({ names, overrides }) => ({
      names: [...names],
      overrides: { ...overrides },
      iterations: 0,
      frozen: false,
      total: firstTotal,
    }));
  }

  /** A parameter with fresh slots. */
  add(name: string, p: readonly number[]): void {
    const count = this.number(this.groupOf(name), "alpha");
    this.values.set(
      name,
      p.map((value) => ({ p: value, sum: 0, count })),
    );
  }

  remove(name: string): void {
    const { names } = this.groupOf(name);
    names.splice(names.indexOf(name), 1);
    this.values.delete(name);
  }

  /** The value of a hyperparameter in a group. */
  number(group: PlainGroup, name: "learningRate" | "weightDecay" | "alpha"): number {
    return group.overrides[name] ?? this.groups[0].overrides[name] ?? Number.NaN;
  }

  groupOf(name: string): PlainGroup {
    return this.groups.find(({ names }) => names.includes(name))!;
  }

  step(gradients: Readonly<Record<string, readonly number[]>>, options: PlainStepOptions): void {
    this.iterations += 1;
    for (const group of this.groups) {
      if (group.frozen || this.iterations % (group.overrides.every ?? 1) !== 0) continue;
      group.iterations += 1;
      const alpha = this.number(group, "alpha");
      group.total += alpha;
      const scalars: CountingScalars = {
        learningRate: this.number(group, "learningRate"),
        weightDecay: this.number(group, "weightDecay"),
        alpha,
        total: group.total,
        t: group.iterations,
      };
      for (const name of group.names)
        if (gradients[name] !== undefined) this.#update(name, gradients[name], scalars, options);
    }
  }

  #update(
    name: string,
    gradient: readonly number[],
    scalars: CountingScalars,
    { rows = {}, unselectedRows = "keep" }: PlainStepOptions,
  ): void {
    const mask = rows[name];
    const values = this.values.get(name)!;
    values.forEach((value, i) => {
      const isSelected = mask === undefined || mask[Math.floor(i / this.rowLength)] !== 0;
      if (!isSelected && unselectedRows === "keep") return;
      const next = countingStep(value, isSelected ? gradient[i] : 0, scalars);
      values[i] = isSelected || unselectedRows === "zero" ? next : { ...next, p: value.p };
    });
  }

  /** Row `i` becomes what row `indices[i]` was; undefined is a new row. Flagged rows keep `p` and have new slots. */
  remap(indices: readonly (number | undefined)[], isReset: readonly boolean[]): void {
    for (const [name, values] of this.values) {
      const count = this.number(this.groupOf(name), "alpha");
      const moved = indices.flatMap((from, row) =>
        Array.from({ length: this.rowLength }, (_, k): CountingValues => {
          const source = from === undefined ? undefined : values[from * this.rowLength + k];
          if (source === undefined) return { p: 0, sum: 0, count };
          return isReset[row] ? { p: source.p, sum: 0, count } : { ...source };
        }),
      );
      this.values.set(name, moved);
    }
  }

  state(): PlainState {
    return {
      iterations: this.iterations,
      groups: this.groups.map(({ overrides, iterations, frozen, total }) => ({
        overrides: { ...overrides },
        iterations,
        frozen,
        total,
      })),
      slots: new Map(
        [...this.values].map(([name, all]) => [
          name,
          all.map(({ sum, count }) => ({ sum, count })),
        ]),
      ),
    };
  }

  restore({ iterations, groups, slots }: PlainState): void {
    this.iterations = iterations;
    this.groups.forEach((group, i) => {
      const { overrides, iterations: ofGroup, frozen = false, total } = groups[i];
      group.overrides = { ...overrides };
      group.iterations = ofGroup ?? Math.floor(iterations / (overrides.every ?? 1));
      group.frozen = frozen;
      group.total = total;
    });
    for (const [name, values] of slots)
      this.values.get(name)!.forEach((value, i) => Object.assign(value, values[i]));
  }
}
