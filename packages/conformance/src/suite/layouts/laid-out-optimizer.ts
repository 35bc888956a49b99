import type {
  Backend,
  GroupOptions,
  Optimizer,
  OptimizerSpec,
  Tensor,
  Values,
} from "@gradstep/core";
import { snapshot, type Snapshot } from "../../checker/snapshot.js";
import { assertSame } from "../assertions.js";
import type { Target } from "../check.js";
import type { FieldRequest } from "../random/random-fields.js";
import type { Random } from "../random/random.js";
import { LaidOutMemory } from "./laid-out-memory.js";
import { laidOutOptions } from "./laid-out-options.js";
import { partOf, requestsOf, type LaidOutParameters } from "./laid-out-parameter.js";

/** The inputs of a laid-out optimizer. */
export interface LaidOutCase {
  readonly spec: OptimizerSpec;
  readonly parameters: LaidOutParameters;
  readonly groups: readonly GroupOptions[];
  /** What is placed in memory in addition, by its name in messages. */
  readonly others: ReadonlyMap<string, FieldRequest>;
  readonly random: Random;
}

/** An optimizer whose parameters, slots and copies are fields at random places in blocks of memory. */
export class LaidOutOptimizer {
  readonly optimizer: Optimizer;
  readonly memory: LaidOutMemory;
  readonly #tensors: Readonly<Record<string, Tensor>>;
  #parameters: LaidOutParameters;

  constructor(
    backend: Backend,
    create: Target["create"],
    { spec, parameters, groups, others, random }: LaidOutCase,
  ) {
    const memory = new LaidOutMemory(
      backend,
      new Map([...requestsOf(parameters), ...others]),
      random,
    );
    const all = Object.entries(parameters);
    memory.write(
      all.flatMap(([name, { values, slots }]) => [
        [partOf.parameter(name), values] as const,
        ...Object.entries(slots).map(
          ([slot, one]) => [partOf.slot(name, slot), one.values] as const,
        ),
      ]),
    );
    this.memory = memory;
    this.#parameters = parameters;
    this.#tensors = Object.fromEntries(
      all.map(([name, { shape, values }]) => [
        name,
        memory.tensor(partOf.parameter(name)) ?? backend.tensor(shape, values),
      ]),
    );
    this.optimizer = create(spec, this.#tensors, laidOutOptions(parameters, groups, memory));
  }

  /** With the shapes that the parameters have now. */
  get parameters(): LaidOutParameters {
    return this.#parameters;
  }

  get names(): readonly string[] {
    return Object.keys(this.#parameters);
  }

  /** Notes how many rows all parameters have after a remap. */
  setRows(count: number): void {
    this.#parameters = Object.fromEntries(
      Object.entries(this.#parameters).map(([name, one]) => [
        name,
        { ...one, shape: [count, ...one.shape.slice(1)] },
      ]),
    );
  }

  /** The parts of memory with the slots of these parameters. */
  slotsOf(names: readonly string[]): readonly string[] {
    return names.flatMap((name) =>
      Object.keys(this.#parameters[name].slots).map((slot) => partOf.slot(name, slot)),
    );
  }

  /** The parts of memory with the copies of these parameters. */
  copiesOf(names: readonly string[]): readonly string[] {
    return names.flatMap((name) =>
      this.#parameters[name].copies.map((_, k) => partOf.copy(name, k)),
    );
  }

  /** The parts of memory that a step of these parameters changes. */
  changedParts(names: readonly string[]): readonly string[] {
    return [...names.map(partOf.parameter), ...this.slotsOf(names), ...this.copiesOf(names)];
  }

  /** Parameters and slots, from the blocks where they are fields. What their tensors give must be the same. */
  async values(what: string): Promise<Record<string, Snapshot>> {
    const read = await snapshot(this.optimizer, this.#tensors);
    return Object.fromEntries(
      Object.entries(read).map(([name, values]) => [
        name,
        Object.fromEntries(
          Object.entries(values).map(([output, array]): [string, Values] => {
            const part = output === "p" ? partOf.parameter(name) : partOf.slot(name, output);
            if (this.memory.field(part) === undefined) return [output, array];
            const numbers = Float32Array.from(this.memory.read(part));
            assertSame(array, numbers, `${what}, read`, part);
            return [output, numbers];
          }),
        ),
      ]),
    );
  }
}
