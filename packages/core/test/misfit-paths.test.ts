// The path of a misfit leads to the place in the state that does not fit.
import { expect, test } from "vitest";
import { adam, nadam } from "../src/index.js";
import type { Optimizer } from "../src/optimizer/optimizer.js";
import { shapes, trained } from "./misfits.js";
import { anything, failureOf } from "./support.js";

type Table = Record<string, unknown>;

const groups = [{ match: "b", learningRate: 0.5 }];
const optimizers: Readonly<Record<string, Optimizer>> = {
  "rows that count their steps, accumulated gradients": trained(shapes, {
    spec: adam(),
    options: { groups, sparse: "lazy", rowSteps: true, accumulate: 2 },
  }),
  "persistent scalars, a loss scale": trained(shapes, {
    spec: nadam(),
    options: { groups, lossScale: "dynamic" },
  }),
};

/** The keys that lead to everything in plain objects and arrays. */
function placesIn(value: unknown, keys: readonly string[] = []): (readonly string[])[] {
  const isTable = typeof value === "object" && value !== null && !ArrayBuffer.isView(value);
  const inner = isTable ? Object.entries(value) : [];
  return [
    ...(keys.length === 0 ? [] : [keys]),
    ...inner.flatMap(([key, one]) => placesIn(one, [...keys, key])),
  ];
}

/** The paths of what does not fit in a copy of a state, with a value at a place. */
function pathsWith(
  optimizer: Optimizer,
  state: object,
  keys: readonly string[],
  value: unknown,
): readonly string[] {
  const copy = structuredClone(state) as Table;
  const table = keys.slice(0, -1).reduce((outer, key) => outer[key] as Table, copy);
  table[keys.at(-1)!] = value;
  const { misfits = [] } = failureOf(() => optimizer.restore(anything(copy)));
  return misfits.map(({ path }) => path);
}

/** Shapes, names of parameters and loss scales fit as a whole, or not. */
const whole = /^(?:shapes\.\w+|groups\.\d\.parameters|control\.lossScale)(?=\.)/;

test.each(Object.entries(optimizers))("to what was replaced: %s", async (_, optimizer) => {
  const state = await optimizer.state();
  // The hyperparameters of the first group are those of the optimizer, which are not read there.
  const places = placesIn(state).filter((keys) => keys.join(".") !== "groups.0.hyperparameters");
  expect(places.length).toBeGreaterThan(30);
  for (const keys of places) {
    const path = keys.join(".");
    const expected = whole.exec(path)?.[0] ?? path;
    const [first, ...others] = pathsWith(optimizer, state, keys, "odd");
    expect(first).toBe(expected);
    // What is in it is missing, and gradients need the shape of their parameter.
    const inside = others.filter((one) => !one.startsWith("control.accumulated."));
    for (const one of inside) expect(one.startsWith(`${expected}.`)).toBe(true);
  }
});

test.each(Object.entries(optimizers))("to a name that is unknown: %s", async (_, optimizer) => {
  const state = await optimizer.state();
  const tables =
    /^(?:options|hyperparameters|shapes|rowSteps|slots|slots\.\w|groups\.1\.hyperparameters|groups\.\d\.persistentScalars|control\.(?:accumulated|rows))$/;
  const found = placesIn(state).filter((keys) => tables.test(keys.join(".")));
  expect(found.length).toBeGreaterThan(8);
  for (const keys of found)
    expect(pathsWith(optimizer, state, [...keys, "odd"], [1])).toEqual([`${keys.join(".")}.odd`]);
});
