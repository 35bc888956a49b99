import { expect, test } from "vitest";
import { slowTest } from "../../../testing/slow-test.js";
import type { Hdf5Dataset } from "../src/hdf5/hdf5-tree.js";
import { trainableOrder, type OrderCheck } from "../src/model/trainable-order.js";
import type { Child, ModelVariable, Saveable } from "../src/model/saveable.js";

function variable(name: string, shape: readonly number[], isTrainable?: boolean): ModelVariable {
  const dataset: Hdf5Dataset = { kind: "dataset", dtype: "<f4", shape, values: new Float32Array() };
  return { path: name, name, hasKnownName: true, dataset, isTrainable };
}

function layer(name: string, variables: readonly ModelVariable[]): Saveable {
  return { name, variables, children: [] };
}

/** An optimizer with one slot per variable, of these shapes. */
function slots(...shapes: readonly (readonly number[])[]): OrderCheck {
  const texts = shapes.map((shape) => shape.join());
  return {
    count: shapes.length,
    next: (position, { dataset }) =>
      texts[position] === dataset.shape.join() ? position + 1 : undefined,
    isComplete: (all) =>
      all.map(({ dataset }) => dataset.shape.join()).join("|") === texts.join("|"),
  };
}

function model(children: readonly Child[]): Saveable {
  return { name: "", variables: [], children };
}

const names = (found: readonly ModelVariable[] | undefined): readonly string[] | undefined =>
  found?.map(({ name }) => name);

const dense = (i: number, size = 2): Child => ({
  saveable: layer(`dense_${i}`, [
    variable(`dense_${i}/kernel`, [size, size], true),
    variable(`dense_${i}/bias`, [size], true),
  ]),
  list: "layers/dense",
  rank: i,
});

const norm = (i: number, size = 2): Child => ({
  saveable: layer(`norm_${i}`, [variable(`norm_${i}/gamma`, [size], true)]),
  list: "layers/norm",
  rank: i,
});

test("layers of one class come in the order of their numbers", () => {
  const order = trainableOrder(model([dense(1), dense(0)]), slots([2, 2], [2], [2, 2], [2]));
  expect(names(order)).toEqual([
    "dense_0/kernel",
    "dense_0/bias",
    "dense_1/kernel",
    "dense_1/bias",
  ]);
});

test("shapes decide between layers of different classes", () => {
  const order = trainableOrder(
    model([norm(0), dense(0), dense(1)]),
    slots([2, 2], [2], [2], [2, 2], [2]),
  );
  expect(names(order)).toEqual([
    "dense_0/kernel",
    "dense_0/bias",
    "norm_0/gamma",
    "dense_1/kernel",
    "dense_1/bias",
  ]);
});

test("a layer that is left out is frozen", () => {
  const order = trainableOrder(model([dense(0, 2), dense(1, 3)]), slots([3, 3], [3]));
  expect(names(order)).toEqual(["dense_1/kernel", "dense_1/bias"]);
});

test("variables of an unknown layer: the first ones are trainable", () => {
  const own = {
    list: "own",
    rank: 0,
    saveable: layer("own", [variable("a", [4]), variable("b", [3])]),
  };
  expect(names(trainableOrder(model([own, dense(0)]), slots([4], [2, 2], [2])))).toEqual([
    "a",
    "dense_0/kernel",
    "dense_0/bias",
  ]);
});

test("two orders of the same shapes are an error", () => {
  const [a, b] = [norm(0), { ...norm(1), list: "other" }];
  expect(() => trainableOrder(model([a, b]), slots([2], [2]))).toThrow(/several orders/);
  expect(() => trainableOrder(model([a, b]), slots([2]))).toThrow(/several orders/);
});

test("no order of other shapes", () => {
  expect(trainableOrder(model([dense(0)]), slots([2, 2], [3]))).toBe(undefined);
});

slowTest("200 layers, and a search without an end, which is given up", () => {
  const order = trainableOrder(
    model(Array.from({ length: 200 }, (_, i) => dense(i))),
    slots(...Array.from({ length: 200 }, () => [[2, 2], [2]]).flat()),
  );
  expect(order?.length).toBe(400);
  const apart = Array.from({ length: 30 }, (_, i) => ({ ...norm(i), list: `${i}` }));
  const wrong = [...Array.from({ length: 29 }, () => [2]), [3]];
  expect(() => trainableOrder(model(apart), slots(...wrong))).toThrow(/several orders/);
});
