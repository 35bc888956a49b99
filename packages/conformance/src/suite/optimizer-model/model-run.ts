import { newRow, type Backend, type createOptimizer, type Tensor } from "@gradstep/core";
import { assert } from "../assertions.js";
import type { Random } from "../random/random.js";
import { changeSetting } from "./changed-settings.js";
import { countingRule } from "./counting-rule.js";
import { checkNumbers, checkValues, type CountingOptimizer } from "./model-comparison.js";
import { ModelTensors, rowLength } from "./model-tensors.js";
import { PlainOptimizer } from "./plain-optimizer.js";
import { randomCallKind } from "./random-call-kind.js";
import { randomlyEdited, type SavedState } from "./saved-state.js";
import { randomOverrides, randomRows, randomStepOptions, someNames } from "./random-arguments.js";

const names = ["a", "b", "c", "d", "e"] as const;
type Name = (typeof names)[number];
/** Those that are added and removed. */
const optionalNames = ["a", "e"] as const;

/** The first group takes `e`, too, which is added later. */
const groupMatches = [/^[be]$/, ["c", "d"]] as const;

/** Where the calls are made, and which. */
interface ModelSetting {
  readonly backend: Backend;
  readonly create: typeof createOptimizer;
  readonly random: Random;
  /** Whether the calls have masks and move rows. */
  readonly hasRows: boolean;
}

/**
 * An optimizer on a backend and the plain optimizer, which receive the same random calls. Both must agree after every
 * call.
 */
export class ModelRun {
  /** The calls so far, for messages. */
  readonly calls: string[] = [];
  readonly #create: typeof createOptimizer;
  readonly #random: Random;
  readonly #hasRows: boolean;
  readonly #tensors: ModelTensors;
  readonly #plain: PlainOptimizer;
  #optimizer: CountingOptimizer;
  #saved: SavedState | undefined;

  constructor({ backend, create, random, hasRows }: ModelSetting) {
    this.#create = create;
    this.#random = random;
    this.#hasRows = hasRows;
    this.#tensors = new ModelTensors(backend, random);
    const groups = [
      { names: ["a"], overrides: { learningRate: 1, alpha: 1, weightDecay: 0 } },
      { names: ["b"], overrides: randomOverrides(random) },
      { names: ["c", "d"], overrides: { ...randomOverrides(random), every: random.integer(1, 3) } },
    ];
    this.#plain = new PlainOptimizer(groups, rowLength);
    for (const name of names.slice(0, 4)) this.#allocate(name);
    this.#optimizer = create(countingRule(), this.#tensors.parameters, {
      groups: groupMatches.map((match, i) => ({ match, ...groups[i + 1].overrides })),
    });
  }

  dispose(): void {
    this.#optimizer.dispose();
  }

  /** One random call, or a few that belong together. */
  async call(): Promise<void> {
    const random = this.#random;
    const absent = optionalNames.filter((name) => !this.#plain.values.has(name));
    const present = optionalNames.filter((name) => this.#plain.values.has(name));
    const kind = randomCallKind(random, {
      restore: this.#saved !== undefined,
      add: absent.length > 0,
      remove: present.length > 0,
      remap: this.#hasRows,
    });
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
    checkNumbers(this.#optimizer, this.#plain);
  }

  /** All values, the persistent scalars and the configuration. */
  checkValues(): Promise<void> {
    return checkValues(this.#optimizer, this.#tensors.parameters, this.#plain);
  }

  #step(): void {
    const random = this.#random;
    const given = this.#someNames();
    const gradients: Record<string, Float32Array | Tensor> = {};
    const numbers: Record<string, number[]> = {};
    for (const name of given) {
      numbers[name] = this.#tensors.integers();
      gradients[name] = random.chance(0.5)
        ? Float32Array.from(numbers[name])
        : this.#tensors.gradient(name, numbers[name], this.#optimizer);
    }
    const options =
      this.#hasRows && random.chance(0.6)
        ? randomStepOptions(random, this.#tensors.rows, this.#plain.values.keys())
        : undefined;
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
    const numbers = Object.fromEntries(given.map((name) => [name, this.#tensors.integers()]));
    const gradients = Object.fromEntries(
      given.map((name) => [name, this.#tensors.gradient(name, numbers[name], this.#optimizer)]),
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
    this.#note(changeSetting(this.#optimizer, this.#plain, this.#random));
  }

  #write(): void {
    const name = this.#someNames()[0];
    const p = this.#tensors.integers();
    this.#tensors.parameters[name].write(p);
    this.#plain.values.get(name)!.forEach((value, i) => {
      value.p = p[i];
    });
  }

  async #save(): Promise<SavedState> {
    const plain = this.#plain.state();
    const reading = this.#optimizer.state();
    // A state is what it was when it was asked for.
    this.#step();
    return { plain, state: await reading };
  }

  /** Restores what was saved, often with numbers that were edited. */
  #restore(saved: SavedState): void {
    const { state, plain } = randomlyEdited(saved, this.#random);
    this.#note(JSON.stringify(state.groups));
    this.#optimizer.restore(state);
    this.#plain.restore(plain);
  }

  /** Continues with another optimizer of the same parameters, which was made with other numbers. */
  async #replace(): Promise<void> {
    const state = await this.#optimizer.state();
    const groups = groupMatches.map((match) => ({
      match,
      every: 2,
      ...randomOverrides(this.#random),
    }));
    this.#optimizer.dispose();
    this.#optimizer = this.#create(countingRule({ alpha: 2 }), this.#tensors.parameters, {
      groups,
    });
    this.#optimizer.restore(state);
  }

  #add(name: (typeof optionalNames)[number]): void {
    this.#note(name);
    this.#plain.groups[name === "a" ? 0 : 1].names.push(name);
    this.#allocate(name);
    this.#optimizer.add({ [name]: this.#tensors.parameters[name] });
    this.#saved = undefined;
  }

  #remove(name: string): void {
    this.#note(name);
    this.#optimizer.remove(name);
    assert(
      !this.#tensors.parameters[name].freed,
      `parameter "${name}", which the caller owns, was freed by remove()`,
    );
    delete this.#tensors.parameters[name];
    this.#plain.remove(name);
    this.#saved = undefined;
  }

  #remap(): void {
    const random = this.#random;
    const tensors = this.#tensors;
    const { sources, isReset, options } = randomRows(random, tensors.rows);
    this.#note(`${tensors.rows} rows to [${sources.map((row) => row ?? "new").join(", ")}]`);
    this.#plain.remap(sources, isReset);
    tensors.rows = sources.length;
    const replaced = random.chance(0.3) ? this.#someNames()[0] : undefined;
    const parameters: Record<string, Tensor> = {};
    if (replaced !== undefined) {
      const p = this.#plain.values.get(replaced)!.map((value) => value.p);
      parameters[replaced] = tensors.allocate(replaced, p);
    }
    this.#saved = undefined;
    this.#optimizer.rows().remap(
      Uint32Array.from(sources, (row) => row ?? newRow),
      { parameters, ...options },
    );
  }

  #allocate(name: Name): void {
    const p = this.#tensors.integers();
    this.#tensors.allocate(name, p);
    this.#plain.add(name, p);
  }

  #someNames(): string[] {
    return someNames(this.#random, this.#plain.values.keys());
  }

  #note(text: string): void {
    this.calls[this.calls.length - 1] += ` ${text}`;
  }
}
