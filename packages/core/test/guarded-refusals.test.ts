import { describe, expect, test } from "vitest";
import type { Backend } from "../src/backend/backend.js";
import type { Optimizer } from "../src/optimizer/optimizer.js";
import type { StepOptions } from "../src/optimizer/step/step-options.js";
import { adam } from "../src/rules/adam.js";
import { nadam } from "../src/rules/nadam.js";
import {
  badGradients,
  expectSame,
  gradientsOf,
  refused,
  sparseGradient,
  start,
  startBoth,
} from "./guarded-runs.js";
import { guarding } from "./guarding-backend.js";

const everyFew = [
  { match: "b", every: 3 },
  { match: "s", every: 2 },
];
const rowSteps = { sparse: "lazy", rowSteps: true } as const;
const good = gradientsOf(1);
const bad = badGradients(2);

describe("what a device cannot decide is refused, and changes nothing", () => {
  const set = (name: "frozen" | "every", value: boolean | number) => (optimizer: Optimizer) => {
    Object.assign(optimizer.groups[0], { [name]: value });
  };

  test.each([
    ["frozen", true, false],
    ["every", 4, 3],
  ] as const)("%s, while the number of steps is uncertain", async (name, value, before) => {
    const runs = startBoth(adam(), { groups: [{ match: "b", every: 3 }] });
    const { optimizer } = runs.guarded;
    runs.step(good);
    runs.step(bad, false);
    set(name, value)(optimizer);
    expect(() => optimizer.step(good)).toThrow(
      refused(`${name} of a group is now ${value}, and the host`),
    );
    set(name, before)(optimizer);
    await expectSame(runs);
    for (const one of [runs.guarded, runs.plain]) set(name, value)(one.optimizer);
    for (let i = 0; i < 4; i += 1) runs.step(gradientsOf(i));
    await expectSame(runs);
  });

  test("a hyperparameter on which persistent scalars depend, and no other", async () => {
    const runs = startBoth(nadam(), { groups: everyFew });
    const both = [runs.guarded.optimizer, runs.plain.optimizer];
    runs.step(good);
    runs.step(bad, false);
    for (const one of both) Object.assign(one, { epsilon: 0.01 });
    runs.step(gradientsOf(2));
    runs.step(bad, false);
    for (const one of both) Object.assign(one, { beta1: 0.8 });
    expect(() => runs.guarded.optimizer.step(good)).toThrow(
      refused("await optimizer.metrics() before a step"),
    );
    await runs.guarded.optimizer.metrics();
    for (let i = 0; i < 4; i += 1) runs.step(gradientsOf(i));
    await expectSame(runs);
  });

  test("clear, with an array of a group that may take part", async () => {
    const runs = startBoth(adam(), { groups: everyFew });
    runs.step(good);
    const clear: StepOptions = { clear: true };
    const own = gradientsOf(5);
    expect(() => runs.guarded.optimizer.step(own, clear)).toThrow(
      refused('an array as the gradient of "s"'),
    );
    expect(own).toEqual(gradientsOf(5));
    await runs.guarded.optimizer.metrics();
    runs.guarded.optimizer.step(own, clear);
    runs.plain.optimizer.step(gradientsOf(5));
    await expectSame(runs);
  });

  test("clear with several calls, while it is not known which groups take part", async () => {
    const runs = startBoth(adam(), { groups: everyFew, accumulate: 2 });
    for (let call = 0; call < 2; call += 1) runs.step(good);
    expect(() => runs.guarded.optimizer.step(gradientsOf(1), { clear: true })).toThrow(
      refused("clear: true with accumulate"),
    );
    await runs.guarded.optimizer.metrics();
    for (let call = 0; call < 2; call += 1) {
      runs.guarded.optimizer.step(gradientsOf(call), { clear: true });
      runs.plain.optimizer.step(gradientsOf(call));
    }
    await expectSame(runs);
  });

  test("rows with every that count their own steps: a reading is due after 63 of the group", async () => {
    const runs = startBoth(adam(), { groups: [{ match: "w", ...rowSteps, every: 2 }] });
    const one = { w: sparseGradient(2), s: gradientsOf(2).s };
    for (let i = 0; i < 127; i += 1) runs.step(one);
    runs.step(one);
    expect(() => runs.guarded.optimizer.step(one)).toThrow(refused("not read for 126 steps"));
    await runs.guarded.optimizer.metrics();
    for (let i = 0; i < 2; i += 1) runs.step(one);
    await expectSame(runs);
  });

  test("everything, on a backend without a guard", () => {
    const backend = Object.assign(guarding(), { guard: undefined }) as unknown as Backend;
    expect(() => start(backend, adam(), { nonFinite: "skip" })).toThrow(
      refused("cannot look for values that are not finite"),
    );
    start(backend, adam(), {}).optimizer.step(good);
  });

  test("a gradient of a group that may take part", async () => {
    const runs = startBoth(adam(), { groups: everyFew });
    for (let i = 0; i < 3; i += 1) runs.step(gradientsOf(i));
    const wrong = { ...good, b: new Float32Array(3) };
    expect(() => runs.guarded.optimizer.step(wrong)).toThrow(
      expect.objectContaining({ code: "LENGTH_MISMATCH" }),
    );
    await expectSame(runs);
  });
});
