import { describe, expect, test } from "vitest";
import { newRow } from "../src/backend/backend.js";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import type { Optimizer, OptimizerOptions } from "../src/optimizer/optimizer.js";
import type { RemapOptions } from "../src/optimizer/rows/rows.js";
import { reference } from "../src/reference.js";
import { adam } from "../src/rules/adam.js";
import { guarding } from "./guarding-backend.js";
import type { Target } from "./host-guard.js";
import { recording, type RecordingBackend } from "./recording-backend.js";
import { anything, codeOf, numbers } from "./support.js";

const rows = 4;
const columns = 2;

interface Run {
  readonly optimizer: Optimizer;
  readonly read: () => Promise<unknown>;
}

function startOn(backend: ReturnType<typeof reference>, options: OptimizerOptions): Run {
  const w = backend.tensor([rows, columns], numbers(rows * columns, 5));
  const target = backend.tensor([rows, columns]);
  const copies = { w: { to: target, as: "exp" } as const };
  const optimizer = createOptimizer(adam(), { w }, { ...options, copies }) as Optimizer;
  return {
    optimizer,
    read: async () => {
      const { slots } = await optimizer.state();
      return structuredClone([w.shape, await w.read(), await target.read(), slots]);
    },
  };
}

function startBoth(options: OptimizerOptions = {}): {
  readonly backend: RecordingBackend;
  readonly device: Run;
  readonly plain: Run;
} {
  const backend = recording();
  return { backend, device: startOn(backend, options), plain: startOn(reference(), options) };
}

function step({ optimizer }: Run, seed: number): void {
  const { count } = optimizer.rows("w");
  optimizer.step({ w: numbers(count * columns, seed) });
}

describe("a number of rows on the device", () => {
  test("leaves out the rows from it on, and is read when steps are taken", async () => {
    const { backend, device, plain } = startBoth();
    for (const run of [device, plain]) step(run, 1);
    const count = backend.words([2]);
    const indices = [3, 1, 0, 2];
    device.optimizer
      .rows("w")
      .remap(backend.words(indices).tensor, { count: count.tensor, capacity: 4 });
    // Rows without a source are 0.
    plain.optimizer.rows("w").remap(Uint32Array.of(3, 1, newRow, newRow));
    expect(await device.read()).toEqual(await plain.read());
    expect(device.optimizer.rows("w").count).toBe(4);
    expect(await device.optimizer.rows("w").readCount()).toBe(2);
    device.optimizer.step({ w: numbers(8, 2) });
    plain.optimizer.step({ w: numbers(8, 2) }, { rows: Uint32Array.of(1, 1, 0, 0) });
    expect(await device.read()).toEqual(await plain.read());

    count.array[0] = 3;
    backend.submit([]);
    device.optimizer.step({ w: numbers(8, 3) });
    plain.optimizer.step({ w: numbers(8, 3) }, { rows: Uint32Array.of(1, 1, 1, 0) });
    expect(await device.read()).toEqual(await plain.read());
    expect(await device.optimizer.rows("w").readCount()).toBe(3);
    const state = await device.optimizer.state();
    expect(state.rowCounts).toEqual({ w: 3 });

    // A mask takes its place for a step, and the next remap for good.
    for (const { optimizer } of [device, plain])
      optimizer.step({ w: numbers(8, 4) }, { rows: Uint32Array.of(0, 0, 0, 1) });
    for (const { optimizer } of [device, plain])
      optimizer.rows("w").remap(Uint32Array.of(0, 1, 2, 3));
    for (const run of [device, plain]) step(run, 5);
    expect(await device.read()).toEqual(await plain.read());
    expect(await device.optimizer.rows("w").readCount()).toBe(4);
  });

  test("is that of an optimizer from the start", async () => {
    const backend = recording();
    const { tensor } = backend.words([1]);
    const device = startOn(backend, { rowCounts: tensor });
    const plain = startOn(reference(), { rowCounts: { w: 1 } });
    for (const run of [device, plain]) step(run, 1);
    expect(await device.read()).toEqual(await plain.read());
  });

  test("is no larger than the number of rows of the tensors", async () => {
    const { backend, device } = startBoth();
    const { tensor } = backend.words([9]);
    device.optimizer.rows("w").remap(Uint32Array.of(0, 1), { count: tensor });
    expect(await device.optimizer.rows("w").readCount()).toBe(2);
  });

  test("is a live u32 tensor of the same backend", () => {
    const { backend, device } = startBoth();
    const freed = backend.wrap(new Uint32Array(1), { shape: [1] });
    freed.free();
    const remap = (options: RemapOptions) => () =>
      device.optimizer.rows("w").remap(Uint32Array.of(0, 1), options);
    const other = recording().words([1]).tensor;
    expect(codeOf(remap({ count: other }))).toBe("INVALID_MEMORY");
    expect(codeOf(remap({ count: backend.tensor([1]) }))).toBe("INVALID_MEMORY");
    expect(codeOf(remap({ count: freed }))).toBe("DISPOSED");
    expect(codeOf(remap({ count: 2, capacity: 2 }))).toBe("LENGTH_MISMATCH");
    for (const capacity of [0, -1, 1.5, newRow, "2"])
      expect(
        codeOf(remap({ count: backend.words([1]).tensor, capacity: anything<number>(capacity) })),
      ).toBe("LENGTH_MISMATCH");
  });

  test("is refused by backends that do not read it", () => {
    const backend = guarding();
    const { optimizer } = startOn(backend, {});
    const count = backend.wrap(new Uint32Array(1), { shape: [1] });
    const remap = (): void => optimizer.rows("w").remap(Uint32Array.of(0, 1), { count });
    expect(codeOf(remap)).toBe("UNSUPPORTED");
  });
});

describe("moves of rows that are recorded", () => {
  test("do what the others do, also for copies", async () => {
    const { backend, device, plain } = startBoth();
    for (const run of [device, plain]) step(run, 1);
    const indices = Uint32Array.of(3, newRow, 0, 0, 1);
    const resetRows = Uint32Array.of(0, 0, 0, 1, 0);
    const target: Target = [];
    device.optimizer.rows("w").encodeRemap(target, indices, { resetRows });
    backend.submit(target);
    const [moved] = (await device.read()) as [number[]];
    expect(moved).toEqual([5, columns]);
    plain.optimizer.rows("w").remap(indices, { resetRows });
    expect(await device.read()).toEqual(await plain.read());
    for (const run of [device, plain]) step(run, 2);
    expect(await device.read()).toEqual(await plain.read());
  });

  test("copies are filled when the work is executed", async () => {
    const { backend, device, plain } = startBoth();
    const { optimizer } = device;
    const w = numbers(8, 9);
    const target: Target = [];
    optimizer.encodeFillCopies(target, "w");
    for (const run of [device, plain]) {
      const state = await run.optimizer.state();
      run.optimizer.step({ w });
      run.optimizer.restore(state);
    }
    expect(target.length).toBe(1);
    backend.submit(target);
    plain.optimizer.fillCopies("w");
    expect(await device.read()).toEqual(await plain.read());
  });

  test("are refused by backends that record nothing", () => {
    const { optimizer } = startOn(guarding(), {});
    expect(codeOf(() => optimizer.rows("w").encodeRemap([], Uint32Array.of(0)))).toBe(
      "UNSUPPORTED",
    );
    expect(codeOf(() => optimizer.encodeFillCopies([], "w"))).toBe("UNSUPPORTED");
  });
});

test("indices on the device are refused while gradients of some rows are accumulated", async () => {
  const { backend, device } = startBoth({ accumulate: 2 });
  device.optimizer.step({ w: numbers(8, 1) }, { rows: Uint32Array.of(1, 0, 0, 1) });
  const before = await device.read();
  const remap = (): void => device.optimizer.rows("w").remap(backend.words([1, 0, 2, 3]).tensor);
  expect(codeOf(remap)).toBe("UNSUPPORTED");
  expect(await device.read()).toEqual(before);
  device.optimizer.step({ w: numbers(8, 1) });
  expect(remap).not.toThrow();
});
