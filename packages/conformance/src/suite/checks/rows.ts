import {
  type Backend,
  type Optimizer,
  type OptimizerSpec,
  type OptimizerState,
  type Rule,
  type UnselectedRows,
  type Tensor,
  type WrappingBackend,
} from "@gradstep/core";
import { snapshot } from "../../checker/snapshot.js";
import { assert, assertSameAll, inCase } from "../assertions.js";
import { movedRows } from "../moved-rows.js";
import { randomRemap } from "../random/random-remap.js";
import { Random } from "../random/random.js";
import { choiceCount, inRange, randomSettings } from "../random/random-settings.js";
import { elementwise } from "../rule-needs.js";
import type { Check, Context } from "../check.js";
import { randomGradient, randomParameter } from "../random/random-values.js";

/** Values in a row of each parameter. */
const rowLengths = { means: 3, colors: 4, opacities: 1 };
const names = Object.keys(rowLengths) as (keyof typeof rowLengths)[];
const capacity = 48;

/** A parameter and its slots, by name. */
type PlainArrays = Record<string, Float32Array>;
type Model = Record<string, PlainArrays>;

/** What an optimizer is made of, and the state from which it continues. */
interface OptimizerSetup {
  readonly context: Context;
  readonly backend: Backend;
  readonly spec: OptimizerSpec;
  readonly groups: readonly { match: string; learningRate: number }[];
  readonly state: OptimizerState;
}

/** Rows are moved and masked as in plain arrays. The arithmetic is the backend's own, on all rows at once. */
export function rowChecks(all: readonly Rule[]): readonly Check[] {
  const rules = elementwise(all);
  if (rules.length === 0) return [];
  return [
    {
      group: "rows",
      name: "random remaps, appends and masks give what plain arrays give",
      needs: ["rows"],
      run: async (context) => {
        for (let i = 0; i < Math.max(context.sequences, rules.length); i += 1) {
          const random = Random.of(context.seed, "rows", i);
          const rule = rules[i % rules.length];
          const settings = randomSettings(rule, random.integer(0, choiceCount(rule) - 1), random);
          try {
            await sequence(context, rule.specify(settings), random);
          } catch (error) {
            throw inCase(
              error,
              `sequence ${i}, seed ${context.seed}, ${rule.name} ${JSON.stringify(settings)}`,
            );
          }
        }
      },
    },
  ];
}

async function sequence(context: Context, spec: OptimizerSpec, random: Random): Promise<void> {
  const { target } = context;
  const backend = await target.backend();
  let count = random.integer(1, 12);
  const { hyperparameters } = spec.rule;
  const groups = [{ match: "colors", learningRate: inRange(hyperparameters.learningRate, 0.25) }];
  const tensors: Record<string, Tensor> = {};
  const model: Model = {};
  for (const name of names) {
    const values = randomParameter(count * rowLengths[name], random);
    const shape = shapeOf(name, count);
    const isWrapped = target.wrapsArrays && !random.chance(0.5);
    tensors[name] = isWrapped ? wrapped(backend, shape, values) : backend.tensor(shape, values);
    model[name] = { p: values.slice() };
  }
  const optimizer = target.create(spec, tensors, { groups });
  const { slots } = await optimizer.state();
  for (const name of names) Object.assign(model[name], copyOf(slots[name]));
  const initial = Object.fromEntries(
    Object.entries(model.means).map(([key, values]) => [key, key === "p" ? 0 : values[0]]),
  );
  const rows = optimizer.rows(random.chance(0.5) ? names : undefined);
  const operations = random.integer(4, 8);
  for (let i = 0; i < operations; i += 1) {
    let what: string;
    if (random.chance(0.5)) {
      what = "a step";
      const masks = masksOf(count, random);
      const unselectedRows = random.pick<UnselectedRows>(["keep", "decay", "zero"]);
      const gradients = Object.fromEntries(
        names.map((name) => [name, randomGradient(count * rowLengths[name], random)]),
      );
      const state = await optimizer.state();
      await stepModel({ context, backend, spec, groups, state }, model, gradients, (name) => ({
        mask: masks instanceof Uint32Array ? masks : masks?.[name],
        unselectedRows,
      }));
      optimizer.step(gradients, masks && { rows: masks, unselectedRows });
    } else {
      const { indices, resetRows, kind } = randomRemap(count, capacity, random);
      what = `${kind} of ${count} rows to ${indices.length}`;
      const replaced = random.chance(0.2) ? random.pick(names) : undefined;
      remapModel(model, initial, indices, resetRows);
      count = indices.length;
      const options: { resetRows?: Uint32Array; parameters?: Record<string, Tensor> } = {};
      if (resetRows !== undefined) options.resetRows = resetRows;
      if (replaced !== undefined) {
        tensors[replaced] = backend.tensor(shapeOf(replaced, count), model[replaced].p);
        options.parameters = { [replaced]: tensors[replaced] };
      }
      const gradient = optimizer.gradient("means");
      gradient.write(new Float32Array(gradient.size).fill(1));
      rows.remap(indices, options);
      assert(
        (await gradient.read()).every((value) => value === 0),
        `${what}: the gradient of means is not 0`,
      );
      assert(rows.count === count, `${what}: count is ${rows.count}`);
    }
    assertSameAll(
      await snapshot(optimizer, tensors),
      model,
      `${spec.rule.name}, step ${optimizer.iterations}, operation ${i}, after ${what}`,
    );
    checkShapes(optimizer, tensors, count);
  }
  context.stats.cases += 1;
  optimizer.dispose();
}

/** In memory of the caller that has room for more rows. */
function wrapped(backend: Backend, shape: readonly number[], values: Float32Array): Tensor {
  const memory = new Float32Array((values.length / shape[0]) * capacity + 3);
  memory.set(values, 3);
  return (backend as WrappingBackend<Float32Array>).wrap(memory, { shape, offset: 3, capacity });
}

/** One mask for all parameters, masks for some, or none. Masks are empty, full or mixed. */
function masksOf(
  count: number,
  random: Random,
): Uint32Array | Record<string, Uint32Array> | undefined {
  const mask = (): Uint32Array => {
    const probability = random.pick([0, 0.1, 0.5, 0.9, 1]);
    return Uint32Array.from({ length: count }, () =>
      random.chance(probability) ? random.pick([1, 7, 0xffff_ffff]) : 0,
    );
  };
  if (random.chance(0.2)) return undefined;
  return random.chance(0.6) ? mask() : { means: mask(), opacities: mask() };
}

function remapModel(
  model: Model,
  initial: Readonly<Record<string, number>>,
  indices: Uint32Array,
  resetRows: Uint32Array | undefined,
): void {
  for (const name of names)
    for (const [key, values] of Object.entries(model[name]))
      model[name][key] = movedRows(values, rowLengths[name], indices, {
        initial: initial[key],
        isReset: (row) => key !== "p" && (resetRows?.[row] ?? 0) !== 0,
      });
}

/** A step of all rows by another optimizer with this state; then each row takes its values according to its mask. */
async function stepModel(
  { context: { target }, backend, spec, groups, state }: OptimizerSetup,
  model: Model,
  gradients: Readonly<Record<string, Float32Array>>,
  maskOf: (name: string) => { mask: Uint32Array | undefined; unselectedRows: UnselectedRows },
): Promise<void> {
  const step = async (of: Readonly<Record<string, Float32Array>>): Promise<Model> => {
    const tensors = Object.fromEntries(
      names.map((name) => [name, backend.tensor([model[name].p.length], model[name].p)]),
    );
    const optimizer = target.create(spec, tensors, { groups });
    // One row per value: the rules here see one element at a time.
    const shapes = Object.fromEntries(
      Object.entries(tensors).map(([name, { shape }]) => [name, shape]),
    );
    optimizer.restore({ ...state, shapes });
    optimizer.step(of);
    const after = await snapshot(optimizer, tensors);
    optimizer.dispose();
    for (const tensor of Object.values(tensors)) tensor.free();
    return after as Model;
  };
  const stepped = await step(gradients);
  const zeros = Object.entries(gradients).map(([name, { length }]) => [
    name,
    new Float32Array(length),
  ]);
  const unstepped = await step(Object.fromEntries(zeros));
  for (const name of names) {
    const { mask, unselectedRows } = maskOf(name);
    const length = rowLengths[name];
    for (const [key, values] of Object.entries(model[name])) {
      const isKept = unselectedRows === "keep" || (unselectedRows === "decay" && key === "p");
      const unselected = isKept ? values.slice() : unstepped[name][key];
      for (let i = 0; i < values.length; i += 1) {
        const isSelected = mask === undefined || mask[Math.floor(i / length)] !== 0;
        values[i] = (isSelected ? stepped[name][key] : unselected)[i];
      }
    }
  }
}

function checkShapes(
  optimizer: Optimizer,
  tensors: Readonly<Record<string, Tensor>>,
  count: number,
): void {
  for (const name of names) {
    const { shape, size, memory } = tensors[name];
    const gradient = optimizer.gradient(name);
    assert(
      shape.join() === shapeOf(name, count).join() && size === count * rowLengths[name],
      `shape of ${name} is [${shape.join(", ")}], size ${size}, after a remap to ${count} rows`,
    );
    assert(
      memory.byteLength >= 4 * size,
      `memory of ${name} has ${memory.byteLength} bytes after a remap; expected at least ${4 * size}`,
    );
    assert(
      gradient.shape.join() === shape.join(),
      `shape of the gradient of ${name} is [${gradient.shape.join(", ")}]; expected that of the parameter`,
    );
  }
}

function shapeOf(name: keyof typeof rowLengths, count: number): readonly number[] {
  return name === "opacities" ? [count] : [count, rowLengths[name]];
}

function copyOf(slots: OptimizerState["slots"][string]): PlainArrays {
  return Object.fromEntries(
    Object.entries(slots).map(([name, values]) => [name, Float32Array.from(values)]),
  );
}
