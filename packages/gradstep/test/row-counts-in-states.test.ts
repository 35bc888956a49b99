// A number of rows that the device has counted is part of the state, on every backend.
import {
  adam,
  createOptimizer,
  type Backend,
  type GradstepError,
  type Optimizer,
  type OptimizerSpec,
  type OptimizerState,
  type Tensor,
} from "gradstep";
import { webgpu } from "@gradstep/webgpu";
import { describe, expect, test } from "vitest";
import { backends, device } from "./backends.js";

const rows = 4;
const columns = 3;
const counted = 2;

const first = Float32Array.from({ length: rows * columns }, (_, i) => i + 1);

function gradientOf(step: number): Float32Array {
  return Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(step * 7 + i));
}

function start(backend: Backend, count = rows): { w: Tensor; optimizer: Optimizer } {
  const w = backend.tensor([count, columns], first.slice(0, count * columns));
  const spec: OptimizerSpec = adam({ learningRate: 0.1 });
  const optimizer = createOptimizer(spec, { w }) as unknown as Optimizer;
  return { w, optimizer };
}

/** The state of two rows that were trained for three steps, as one of four rows of which two are counted. */
async function stateOf(backend: Backend): Promise<OptimizerState> {
  const { optimizer } = start(backend);
  for (let step = 0; step < 3; step += 1)
    optimizer.step({ w: gradientOf(step) }, { rows: Uint32Array.of(1, 1, 0, 0) });
  return { ...(await optimizer.state()), rowCounts: { w: counted } };
}

describe.each(backends)("%s", (_, make) => {
  test("steps leave out the rows from the number on", async () => {
    const backend = make();
    const state = await stateOf(make());
    const { w, optimizer } = start(backend);
    const few = start(make(), counted);
    const { shapes, slots, rowCounts: __, ...rest } = state;
    few.optimizer.restore({
      ...rest,
      shapes: { w: [counted, columns] },
      slots: {
        w: Object.fromEntries(
          Object.entries(slots.w).map(([name, values]) => [
            name,
            values.slice(0, counted * columns),
          ]),
        ),
      },
    });
    expect(shapes.w).toEqual([rows, columns]);
    // A step before, which could be repeated.
    const gradient = backend.tensor([rows, columns], gradientOf(0));
    optimizer.step({ w: gradient });
    w.write(first);
    optimizer.restore(state);
    expect(optimizer.rows("w").count).toBe(rows);
    expect(await optimizer.rows("w").readCount()).toBe(counted);
    for (let step = 3; step < 7; step += 1) {
      gradient.write(gradientOf(step));
      optimizer.step({ w: gradient });
      few.optimizer.step({ w: gradientOf(step).slice(0, counted * columns) });
    }
    optimizer.step({ w: gradientOf(7) });
    few.optimizer.step({ w: gradientOf(7).slice(0, counted * columns) });
    const values = await w.read();
    expect(values.slice(counted * columns)).toEqual(first.slice(counted * columns));
    expect(values.slice(0, counted * columns)).toEqual(await few.w.read());
    const after = await optimizer.state();
    expect(after.rowCounts).toEqual({ w: counted });
    const before = state.slots.w.m.slice(counted * columns);
    expect(after.slots.w.m.slice(counted * columns)).toEqual(before);
  });

  test("a mask that is given to a step replaces the number, and the next remap ends it", async () => {
    const { w, optimizer } = start(make());
    optimizer.restore(await stateOf(make()));
    optimizer.step({ w: gradientOf(3) }, { rows: Uint32Array.of(0, 0, 1, 0) });
    const masked = await w.read();
    expect([...masked.keys()].filter((i) => masked[i] !== first[i])).toEqual([6, 7, 8]);
    optimizer.rows("w").remap(Uint32Array.of(0, 1, 2, 3));
    expect(await optimizer.rows("w").readCount()).toBe(rows);
    optimizer.step({ w: gradientOf(4) });
    expect((await w.read()).every((value, i) => value !== first[i])).toBe(true);
    expect((await optimizer.state()).rowCounts).toBeUndefined();
  });

  test("a state of all rows ends it", async () => {
    const { w, optimizer } = start(make());
    const { rowCounts: __, ...state } = await stateOf(make());
    optimizer.restore({ ...state, rowCounts: { w: counted } });
    optimizer.restore(state);
    expect(await optimizer.rows("w").readCount()).toBe(rows);
    optimizer.step({ w: gradientOf(3) });
    expect((await w.read()).every((value, i) => value !== first[i])).toBe(true);
  });

  test("numbers that are none are misfits, and change nothing", async () => {
    const { optimizer } = start(make());
    const state = await stateOf(make());
    for (const [rowCounts, path] of [
      [{ w: 5 }, "rowCounts.w"],
      [{ w: -1 }, "rowCounts.w"],
      [{ w: "2" }, "rowCounts.w"],
      [{ other: 1 }, "rowCounts.other"],
      [null, "rowCounts"],
    ] as const) {
      const before = await optimizer.state();
      const wrong = { ...state, rowCounts } as unknown as OptimizerState;
      let error: unknown;
      try {
        optimizer.restore(wrong);
      } catch (thrown) {
        error = thrown;
      }
      expect((error as GradstepError).misfits?.map((one) => one.path)).toEqual([path]);
      expect(await optimizer.state()).toEqual(before);
      expect(optimizer.restore(wrong, { partial: true }).map((one) => one.path)).toEqual([path]);
      expect(await optimizer.rows("w").readCount()).toBe(rows);
      optimizer.restore(before);
    }
  });
});

describe.runIf(device !== undefined)("counted on the device", () => {
  test.each(backends)("2 of 4 rows go on as 2 rows on %s", async (name, make) => {
    const backend = webgpu({ device: device! });
    const { w, optimizer } = start(backend);
    for (let step = 0; step < 3; step += 1) optimizer.step({ w: gradientOf(step) });
    const buffer = device!.createBuffer({ size: 4, usage: 128 | 8 | 4 });
    device!.queue.writeBuffer(buffer, 0, Uint32Array.of(counted));
    const count = backend.wrap(buffer, { shape: [1], dtype: "u32" });
    optimizer.rows("w").remap(Uint32Array.of(3, 0, 1, 2), { count, capacity: rows });
    const stating = optimizer.state();
    const reading = w.read();
    // What comes later is not part of the state.
    device!.queue.writeBuffer(buffer, 0, Uint32Array.of(rows));
    const state = structuredClone(await stating);
    expect(state.rowCounts).toEqual({ w: counted });
    device!.queue.writeBuffer(buffer, 0, Uint32Array.of(counted));

    const resumed = start(make());
    resumed.w.write(await reading);
    resumed.optimizer.restore(state);
    for (let step = 3; step < 6; step += 1) {
      optimizer.step({ w: gradientOf(step) });
      resumed.optimizer.step({ w: gradientOf(step) });
    }
    const [expected, values] = [await w.read(), await resumed.w.read()];
    expect(values.slice(counted * columns)).toEqual(expected.slice(counted * columns));
    const differences = values.map((value, i) =>
      Math.abs((value - expected[i]) / (expected[i] || 1)),
    );
    expect(Math.max(...differences)).toBeLessThanOrEqual(name === "webgpu" ? 0 : 1e-6);
    expect(await resumed.optimizer.rows("w").readCount()).toBe(counted);
    buffer.destroy();
  });
});
