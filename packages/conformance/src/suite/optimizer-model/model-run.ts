import {
  newRow,
  type Backend,
  type createOptimizer,
  type Optimizer,
  type OptimizerState,
  type StepOptions,
  type Tensor,
  type UnselectedRows,
} from "@gradstep/core";
import { snapshot } from "../../checker/snapshot.js";
import { assert, assertEqual } from "../assertions.js";
import type { Random } from "../random/random.js";
import { countingRule } from "./counting-rule.js";
import { PlainOptimizer, type Overrides, type PlainStepOptions } from "./plain-optimizer.js";

const names = ["a", "b", "c", "d", "e"] as const;
type Name = (typeof names)[number];
type CountingOptimizer = Optimizer<"learningRate" | "alpha" | "weightDecay">;

/** Those that are added and removed. */
const optionalNames = ["a", "e"] as const;

/** The first group takes `e`, too, which is added later. */
const groupMatches = [/^[be]$/, ["c", "d"]] as const;

/** Values in a row of each parameter. All parameters have the same size, so that a mix-up is not caught by a length. */
const rowLength = 2;

/** What a state held, in the plain optimizer's terms. */
interface SavedState {
  readonly state: OptimizerState;
  readonly iterations: number;
  readonly groups: readonly { overrides: Overrides; iterations: number; total: number }[];
  readonly slots: ReadonlyMap<string, readonly { sum: number; count: number }[]>;
}

/**
 * An optimizer on a backend and the plain optimizer, which receive the same random calls. Both must agree after every
 * call.
 */
export class ModelRun {
  /** The calls so far, for messages. */
  readonly calls: string[] = [];
  readonly #backend: Backend;
  readonly #create: typeof createOptimizer;
  readonly #random: Random;
  readonly #hasRows: boolean;
  readonly #tensors: Record<string, Tensor> = {};
  readonly #plain: PlainOptimizer;
  #optimizer: CountingOptimizer;
  #rows = 3;
  #saved: SavedState | undefined;

  constructor(backend: Backend, create: typeof createOptimizer, random: Random, hasRows: boolean) {
    this.#backend = backend;
    this.#create = create;
    this.#random = random;
    this.#hasRows = hasRows;
    const groups = [
      { names: ["a"], overrides: { learningRate: 1, alpha: 1, weightDecay: 0 } },
      { names: ["b"], overrides: this.#overrides() },
      { names: ["c", "d"], overrides: { ...this.#overrides(), every: random.integer(1, 3) } },
    ];
    this.#plain = new PlainOptimizer(groups, rowLength);
    for (const name of names.slice(0, 4)) this.#allocate(name);
    this.#optimizer = create(countingRule(), this.#tensors, {
      groups: groupMatches.map((match, i) => ({ match, ...groups[i + 1].overrides })),
    });
  }

  dispose(): void {
    this.#optimizer.dispose();
  }

  /** One random call, or a few that belong together. */
  async call(): Promise<void> {
    const random = this.#random;
    const kinds = [
      "step",
      "step",
      "step",
      "repeat",
      "repeat",
      "set",
      "set",
      "write",
      "save",
    ] as const;
    const absent = optionalNames.filter((name) => !this.#plain.values.has(name));
    const present = optionalNames.filter((name) => this.#plain.values.has(name));
    const others = [
      ...(this.#saved === undefined ? [] : (["restore", "restore"] as const)),
      ...(absent.length === 0 ? [] : (["add"] as const)),
      ...(present.length === 0 ? [] : (["remove"] as const)),
      ...(this.#hasRows ? (["remap"] as const) : []),
      "replace" as const,
    ];
    const kind = random.pick([...kinds, ...others]);
    this.calls.push(kind);
    switch (kind) {
      case "step":
        return this.#step();
      case "repeat":
        return this.#repeat();
      case "set":
        return this.#set();
      case "write":
        return this.#write();
      case "save":
        this.#saved = await this.#save();
        return;
      case "restore":
        return this.#restore(this.#saved!);
      case "add":
        return this.#add(random.pick(absent));
      case "remove":
        return this.#remove(random.pick(present));
      case "remap":
        return this.#remap();
      case "replace":
        return this.#replace();
    }
  }

  /** What needs no read: step numbers, hyperparameters and names. */
  checkNumbers(): void {
    const { groups: plainGroups, iterations } = this.#plain;
    const optimizer = this.#optimizer;
    assertEqual(optimizer.iterations, iterations, "iterations");
    assertEqual(optimizer.parameters, [...this.#plain.values.keys()], "parameters");
    const numbers = (group: { learningRate: number; alpha: number; weightDecay: number }) => ({
      learningRate: group.learningRate,
      alpha: group.alpha,
      weightDecay: group.weightDecay,
    });
    plainGroups.forEach((plain, i) => {
      const expected = numbers({
        learningRate: this.#plain.number(plain, "learningRate"),
        alpha: this.#plain.number(plain, "alpha"),
        weightDecay: this.#plain.number(plain, "weightDecay"),
      });
      if (i === 0) {
        assertEqual(numbers(optimizer), expected, "the optimizer's hyperparameters");
        return;
      }
      const group = optimizer.groups[i - 1];
      const what = `of group ${i - 1}`;
      assertEqual(numbers(group), expected, `hyperparameters ${what}`);
      assertEqual(group.every, plain.overrides.every ?? 1, `every ${what}`);
      assertEqual(group.iterations, plain.iterations, `iterations ${what}`);
      assertEqual(group.parameters, plain.names, `parameters ${what}`);
    });
  }

  /** All values, the persistent scalars and the configuration. */
  async checkValues(): Promise<void> {
    const plain = this.#plain;
    const got = await snapshot(this.#optimizer, this.#tensors);
    for (const [name, values] of plain.values)
      for (const slot of ["p", "sum", "count"] as const)
        values.forEach((value, i) => {
          assert(
            got[name][slot][i] === value[slot],
            `counting, step ${plain.iterations}: ${slot} of "${name}"[${i}] is ${got[name][slot][i]}; expected exactly ${value[slot]} (bound 0)`,
          );
        });
    const { groups } = await this.#optimizer.state();
    const totals = groups.map(({ persistentScalars, iterations }) => [
      persistentScalars.total,
      iterations,
    ]);
    const expected = plain.groups.map(({ total, iterations }) => [total, iterations]);
    assertEqual(totals, expected, "persistent scalar and iterations of the groups in the state");
    const [base, ...own] = plain.groups;
    assertEqual(
      this.#optimizer.config(),
      {
        name: "counting",
        settings: { ...base.overrides, weightDecayMode: "decoupled", maximize: false },
        groups: own.map((group) => ({ match: group.names, ...group.overrides })),
      },
      "config",
    );
  }

  #step(): void {
    const random = this.#random;
    const given = this.#someNames();
    const gradients: Record<string, Float32Array | Tensor> = {};
    const numbers: Record<string, number[]> = {};
    for (const name of given) {
      numbers[name] = this.#integers();
      gradients[name] = random.chance(0.5)
        ? Float32Array.from(numbers[name])
        : this.#tensorOf(name, numbers[name]);
    }
    const options = this.#hasRows && random.chance(0.6) ? this.#stepOptions() : undefined;
    this.#note(
      `${given.join("")}${options === undefined ? "" : ` ${JSON.stringify(options.step)}`}`,
    );
    this.#optimizer.step(gradients, options?.step);
    this.#plain.step(numbers, options?.plain ?? {});
  }

  /** Several steps with the same tensors, and nothing in between but a change of a hyperparameter. */
  #repeat(): void {
    const random = this.#random;
    const given = random.chance(0.5) ? [...this.#plain.values.keys()] : this.#someNames();
    const numbers = Object.fromEntries(given.map((name) => [name, this.#integers()]));
    const gradients = Object.fromEntries(
      given.map((name) => [name, this.#tensorOf(name, numbers[name])]),
    );
    const count = random.integer(3, 5);
    this.#note(`${given.join("")} ${count} times`);
    for (let i = 0; i < count; i += 1) {
      this.#optimizer.step(gradients);
      this.#plain.step(numbers, {});
      if (random.chance(0.2)) this.#set();
    }
  }

  #set(): void {
    const random = this.#random;
    const index = random.integer(0, 2);
    const { overrides } = this.#plain.groups[index];
    const group = index === 0 ? this.#optimizer : this.#optimizer.groups[index - 1];
    const every = index > 0 && random.chance(0.3);
    const [name, value] = every
      ? (["every", random.integer(1, 3)] as const)
      : this.#number(random.pick(["learningRate", "alpha", "weightDecay"] as const));
    this.#note(`${name} of group ${index - 1} to ${value}`);
    overrides[name] = value;
    Object.assign(group, { [name]: value });
  }

  #write(): void {
    const name = this.#someNames()[0];
    const p = this.#integers();
    this.#tensors[name].write(p);
    this.#plain.values.get(name)!.forEach((value, i) => {
      value.p = p[i];
    });
  }

  async #save(): Promise<SavedState> {
    const { iterations, groups, values } = this.#plain;
    const saved = {
      iterations,
      groups: groups.map((group) => ({
        overrides: { ...group.overrides },
        iterations: group.iterations,
        total: group.total,
      })),
      slots: new Map(
        [...values].map(([name, all]) => [name, all.map(({ sum, count }) => ({ sum, count }))]),
      ),
    };
    const reading = this.#optimizer.state();
    // A state is what it was when it was asked for.
    this.#step();
    return { ...saved, state: await reading };
  }

  /** Restores what was saved, often with numbers that were edited. */
  #restore(saved: SavedState): void {
    const random = this.#random;
    const edited = saved.groups.map((group, i) => {
      if (random.chance(0.5)) return group;
      const overrides = {
        ...(i === 0 ? { learningRate: 1, alpha: 1, weightDecay: 0 } : {}),
        ...this.#overrides(),
      };
      if (i > 0 && random.chance(0.5)) Object.assign(overrides, { every: random.integer(1, 3) });
      return { overrides, iterations: random.integer(0, 20), total: random.integer(0, 200) };
    });
    // Left out, a group's step number follows from `every`.
    const isCounted = edited.map(() => random.chance(0.8));
    const state: OptimizerState = {
      ...saved.state,
      hyperparameters: edited[0].overrides,
      groups: saved.state.groups.map(({ parameters }, i) => ({
        parameters,
        ...(isCounted[i] ? { iterations: edited[i].iterations } : {}),
        hyperparameters: i === 0 ? {} : edited[i].overrides,
        persistentScalars: { total: edited[i].total },
      })),
    };
    this.#note(JSON.stringify(state.groups));
    this.#optimizer.restore(state);
    const plain = this.#plain;
    plain.iterations = saved.iterations;
    plain.groups.forEach((group, i) => {
      const { overrides, iterations, total } = edited[i];
      group.overrides = { ...overrides };
      group.iterations = isCounted[i]
        ? iterations
        : Math.floor(saved.iterations / (overrides.every ?? 1));
      group.total = total;
    });
    for (const [name, slots] of saved.slots)
      plain.values.get(name)!.forEach((value, i) => Object.assign(value, slots[i]));
  }

  /** Continues with another optimizer of the same parameters, which was made with other numbers. */
  async #replace(): Promise<void> {
    const state = await this.#optimizer.state();
    const groups = groupMatches.map((match) => ({ match, every: 2, ...this.#overrides() }));
    this.#optimizer.dispose();
    this.#optimizer = this.#create(countingRule({ alpha: 2 }), this.#tensors, { groups });
    this.#optimizer.restore(state);
  }

  #add(name: (typeof optionalNames)[number]): void {
    this.#note(name);
    this.#plain.groups[name === "a" ? 0 : 1].names.push(name);
    this.#allocate(name);
    this.#optimizer.add({ [name]: this.#tensors[name] });
    this.#saved = undefined;
  }

  #remove(name: string): void {
    this.#note(name);
    this.#optimizer.remove(name);
    assert(
      !this.#tensors[name].freed,
      `parameter "${name}", which the caller owns, was freed by remove()`,
    );
    delete this.#tensors[name];
    this.#plain.remove(name);
    this.#saved = undefined;
  }

  #remap(): void {
    const random = this.#random;
    const count = random.integer(1, 6);
    const indices = Array.from({ length: count }, () =>
      random.chance(0.2) ? undefined : random.integer(0, this.#rows - 1),
    );
    const isReset = indices.map(() => random.chance(0.3));
    const flags = Uint32Array.from(isReset, (flag) => (flag ? random.pick([1, 2 ** 31]) : 0));
    const isFlagged = random.chance(0.5);
    this.#note(`${this.#rows} rows to [${indices.map((row) => row ?? "new").join(", ")}]`);
    this.#plain.remap(
      indices,
      isReset.map((flag) => flag && isFlagged),
    );
    const replaced = random.chance(0.3) ? this.#someNames()[0] : undefined;
    const parameters: Record<string, Tensor> = {};
    if (replaced !== undefined) {
      const p = this.#plain.values.get(replaced)!.map((value) => value.p);
      parameters[replaced] = this.#backend.tensor([count, rowLength], p);
      this.#tensors[replaced] = parameters[replaced];
    }
    this.#rows = count;
    this.#saved = undefined;
    this.#optimizer.rows().remap(
      Uint32Array.from(indices, (row) => row ?? newRow),
      {
        parameters,
        ...(isFlagged ? { resetRows: flags } : {}),
      },
    );
  }

  /** Masks for all parameters or for some, and what happens to the other rows; each may be left out. */
  #stepOptions(): { step: StepOptions; plain: PlainStepOptions } {
    const random = this.#random;
    const mask = (): Uint32Array =>
      Uint32Array.from({ length: this.#rows }, () => random.pick([0, 0, 1, 7]));
    const unselectedRows = random.pick<UnselectedRows | undefined>([
      undefined,
      "keep",
      "decay",
      "zero",
    ]);
    const other = unselectedRows === undefined ? {} : { unselectedRows };
    if (random.chance(0.2)) return { step: other, plain: other };
    if (random.chance(0.5)) {
      const rows = mask();
      const all = Object.fromEntries(names.map((name) => [name, rows]));
      return { step: { rows, ...other }, plain: { rows: all, ...other } };
    }
    const rows = Object.fromEntries(this.#someNames().map((name) => [name, mask()]));
    return { step: { rows, ...other }, plain: { rows, ...other } };
  }

  /** In the backend's memory: a caller-owned tensor, or the optimizer's own. */
  #tensorOf(name: string, numbers: readonly number[]): Tensor {
    if (this.#random.chance(0.5)) return this.#backend.tensor([this.#rows, rowLength], numbers);
    const tensor = this.#optimizer.gradient(name);
    tensor.write(numbers);
    return tensor;
  }

  #allocate(name: Name): void {
    const p = this.#integers();
    this.#tensors[name] = this.#backend.tensor([this.#rows, rowLength], p);
    this.#plain.add(name, p);
  }

  /** At least one name, in any order. */
  #someNames(): string[] {
    const random = this.#random;
    const all = [...this.#plain.values.keys()];
    const order = new Map(all.map((name) => [name, random.unit()]));
    const sorted = all.sort((a, b) => order.get(a)! - order.get(b)!);
    return sorted.slice(0, random.integer(1, sorted.length));
  }

  #integers(): number[] {
    return Array.from({ length: this.#rows * rowLength }, () => this.#random.integer(-9, 9));
  }

  /** Numbers for some hyperparameters; 1 − learningRate · weightDecay is −1, 0 or 1, so that nothing grows. */
  #overrides(): Overrides {
    const random = this.#random;
    const entries = (["learningRate", "alpha", "weightDecay"] as const)
      .filter(() => random.chance(0.5))
      .map((name) => this.#number(name));
    return Object.fromEntries(entries);
  }

  #number(name: "learningRate" | "alpha" | "weightDecay"): readonly [typeof name, number] {
    return [name, this.#random.integer(0, name === "weightDecay" ? 1 : 2)];
  }

  #note(text: string): void {
    this.calls[this.calls.length - 1] += ` ${text}`;
  }
}
