import { expect, test } from "vitest";
import { newRow } from "../src/backend/backend.js";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import { reference } from "../src/reference.js";
import { sgd } from "../src/rules/sgd.js";

const ones = Float32Array.of(1, 1, 1);
const spec = sgd({ learningRate: 1, momentum: 0.5 });

test("rows from a number of rows on stay, also after a step of some rows with unselectedRows", async () => {
  const w = reference().tensor([3]);
  const optimizer = createOptimizer(spec, { w }, { rowCounts: 2 });
  optimizer.step({ w: ones });
  expect([...w.view!()]).toEqual([-1, -1, 0]);
  optimizer.step({ w: ones }, { rows: Uint32Array.of(0, 0, 1), unselectedRows: "zero" });
  const [, , last] = w.view!();
  optimizer.step({ w: ones });
  expect(w.view!()[2]).toBe(last);
});

test("a number of rows in a state holds for the next step without options", async () => {
  const backend = reference();
  const saved = createOptimizer(spec, { w: backend.tensor([3]) }, { rowCounts: { w: 1 } });
  saved.step({ w: ones });
  const state = structuredClone(await saved.state());
  expect(state.rowCounts).toEqual({ w: 1 });
  const w = backend.tensor([3]);
  const optimizer = createOptimizer(spec, { w });
  optimizer.restore(state);
  expect((await optimizer.state()).rowCounts).toEqual({ w: 1 });
  optimizer.step({ w: ones });
  // Its momentum goes on.
  expect([...w.view!()]).toEqual([-1.5, 0, 0]);
  // A state without one has all rows.
  const { rowCounts: _, ...ofAll } = state;
  optimizer.restore(ofAll);
  optimizer.step({ w: ones });
  expect([...w.view!()]).toEqual([-3, -1, -1]);
  expect((await optimizer.state()).rowCounts).toBeUndefined();
  optimizer.restore({ ...state, rowCounts: { w: 3 } });
  expect((await optimizer.state()).rowCounts).toBeUndefined();
});

test("a lazy sparse gradient leaves rows without an index after a step with unselectedRows", () => {
  const w = reference().tensor([3]);
  const optimizer = createOptimizer(spec, { w }, { sparse: "lazy" });
  const rows = Uint32Array.of(1, 0, 1);
  optimizer.step({ w: ones }, { rows, unselectedRows: "zero" });
  expect([...w.view!()]).toEqual([-1, 0, -1]);
  optimizer.step({ w: { indices: Uint32Array.of(1), values: Float32Array.of(1) } });
  expect([...w.view!()]).toEqual([-1, -1, -1]);
  optimizer.rows("w").remap(Uint32Array.of(2, newRow, 0));
  optimizer.step({ w: { indices: Uint32Array.of(0), values: Float32Array.of(1) } });
  expect([...w.view!()]).toEqual([-2.5, 0, -1]);
});
