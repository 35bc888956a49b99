import { sgd, type Backend, type Optimizer, type StepOptions, type Tensor } from "@gradstep/core";
import { snapshot } from "../../checker/snapshot.js";
import { assertNear, assertSameAll } from "../assertions.js";
import type { Check, Context } from "../check.js";
import { Random } from "../random/random.js";
import { wrappedMask } from "../wrapped-mask.js";

const rows = 5;
const columns = 2;
const calls = 4;

/** The rows of calls that make one step: a gradient counts in the rows that its call selects. */
export const accumulatedRowChecks: readonly Check[] = [
  {
    group: "calls and steps",
    name: "accumulate: a step updates the rows that one of its calls selected",
    needs: ["rows"],
    run: checkUnion,
  },
  {
    group: "calls and steps",
    name: "accumulate: gradients and selected rows move with their rows",
    needs: ["rows"],
    run: checkMoves,
  },
  {
    group: "calls and steps",
    name: "accumulate: what a call says of other rows holds for its step, and no other",
    needs: ["rows"],
    run: checkUnselected,
  },
  {
    group: "calls and steps",
    name: "accumulate: masks made of flags count as arrays do",
    needs: ["rows", "maskTensors"],
    run: (context) =>
      checkMaskTensors(context, (backend, mask) =>
        backend.maskOf!(backend.tensor([rows], Float32Array.from(mask))),
      ),
  },
  {
    group: "calls and steps",
    name: "accumulate: masks in wrapped memory count as arrays do",
    needs: ["rows", "layouts", "wrapsArrays"],
    run: (context) => checkMaskTensors(context, wrappedMask),
  },
];

interface Setup {
  readonly w: Tensor;
  readonly optimizer: Optimizer;
  /** Sums of multiples of 1/16, which are exact, as their quarters are. */
  readonly gradient: () => Float32Array;
}

async function start({ target, seed }: Context, momentum = 0): Promise<Setup> {
  const backend = await target.backend();
  const random = Random.of(seed, "accumulated rows");
  const gradient = (): Float32Array =>
    Float32Array.from({ length: rows * columns }, () => random.integer(1, 32) / 16);
  const w = backend.tensor([rows, columns], gradient());
  const options = { accumulate: calls };
  const optimizer = target.create(sgd({ learningRate: 1, momentum }), { w }, options);
  return { w, gradient, optimizer: optimizer as unknown as Optimizer };
}

async function checkUnion(context: Context): Promise<void> {
  const { w, optimizer, gradient } = await start(context);
  const masks: readonly (readonly ((StepOptions["rows"] & Uint32Array) | undefined)[])[] = [
    [
      Uint32Array.of(1, 0, 0, 0, 0),
      Uint32Array.of(0, 0, 1, 0, 0),
      Uint32Array.of(1, 0, 0, 0, 7),
      Uint32Array.of(0, 0, 0, 0, 1),
    ],
    [
      Uint32Array.of(0, 1, 0, 0, 0),
      undefined,
      Uint32Array.of(1, 0, 0, 0, 0),
      Uint32Array.of(0, 0, 0, 1, 0),
    ],
    [
      Uint32Array.of(0, 0, 0, 1, 0),
      Uint32Array.of(0, 0, 0, 0, 0),
      Uint32Array.of(0, 0, 0, 0, 0),
      Uint32Array.of(0, 1, 0, 0, 0),
    ],
  ];
  for (const [step, ofCalls] of masks.entries()) {
    const expected = Float32Array.from(await w.read());
    for (const mask of ofCalls) {
      const g = gradient();
      g.forEach((value, i) => {
        if (mask === undefined || mask[Math.floor(i / columns)] !== 0) expected[i] -= value / calls;
      });
      optimizer.step({ w: g }, mask && { rows: mask });
    }
    assertNear(
      await w.read(),
      expected,
      w.backend.exact,
      `sgd, step ${step + 1} of calls with masks`,
    );
  }
  optimizer.dispose();
}

async function checkMoves(context: Context): Promise<void> {
  const { w, optimizer, gradient } = await start(context, 0.5);
  const indices = Uint32Array.of(4, 2, 0, 1, 3);
  const before = await w.read();
  const sums = new Float32Array(rows * columns);
  const add = (g: Float32Array, isSelected: (row: number) => boolean): void =>
    g.forEach((value, i) => {
      if (isSelected(Math.floor(i / columns))) sums[i] += value;
    });
  const selected = [3, 4];
  const mask = Uint32Array.from({ length: rows }, (_, row) => +selected.includes(row));
  for (let call = 0; call < 2; call += 1) {
    const g = gradient();
    add(g, (row) => selected.includes(row));
    optimizer.step({ w: g }, { rows: mask });
  }
  // Slots are reset in these rows, and the sums stay.
  optimizer.rows("w").remap(indices, { resetRows: Uint32Array.of(1, 0, 0, 0, 1) });
  const move = (values: ArrayLike<number>): Float32Array =>
    Float32Array.from(
      values,
      (_, i) => values[indices[Math.floor(i / columns)] * columns + (i % columns)],
    );
  const moved = move(sums);
  const expected = move(before);
  // The third row was the first one, and the first was the last.
  const next = Uint32Array.of(0, 0, 1, 0, 0);
  for (let call = 2; call < calls; call += 1) {
    const g = gradient();
    for (let j = 0; j < columns; j += 1) moved[2 * columns + j] += g[2 * columns + j];
    optimizer.step({ w: g }, { rows: next });
  }
  expected.forEach((_, i) => {
    expected[i] -= moved[i] / calls;
  });
  assertNear(
    await w.read(),
    expected,
    w.backend.exact,
    "sgd, step 1 of calls before and after a remap",
  );
  optimizer.dispose();
}

async function checkUnselected(context: Context): Promise<void> {
  const momentum = 0.5;
  const { w, optimizer, gradient } = await start(context, momentum);
  const p = Float32Array.from(await w.read());
  const velocity = new Float32Array(p.length);
  const rowsOfCalls = [[0, 1, 2, 3, 4], [2], [3]];
  for (const [step, selected] of rowsOfCalls.entries()) {
    const mask = Uint32Array.from({ length: rows }, (_, row) => +selected.includes(row));
    const mean = new Float32Array(p.length);
    for (let call = 0; call < calls; call += 1) {
      const g = gradient();
      g.forEach((value, i) => {
        if (mask[Math.floor(i / columns)] !== 0) mean[i] += value / calls;
      });
      // Said once in the second step, and not in the third.
      const isSaid = step === 1 && call === 1;
      optimizer.step({ w: g }, { rows: mask, ...(isSaid && { unselectedRows: "zero" }) });
    }
    p.forEach((_, i) => {
      if (step === 2 && mask[Math.floor(i / columns)] === 0) return;
      velocity[i] = momentum * velocity[i] - mean[i];
      p[i] += velocity[i];
    });
    assertNear(await w.read(), p, w.backend.exact, `sgd, step ${step + 1} with other rows`);
  }
  optimizer.dispose();
}

/** Masks that JavaScript need not see, alone and among arrays: the same bits as of arrays alone. */
async function checkMaskTensors(
  { target, seed }: Context,
  tensorOf: (backend: Backend, mask: Uint32Array) => Tensor,
): Promise<void> {
  const backend = await target.backend();
  const random = Random.of(seed, "masks in tensors");
  const values = (): Float32Array =>
    Float32Array.from({ length: rows * columns }, () => random.between(-1, 1));
  const initial = values();
  const [arrays, tensors, mixed] = [0, 1, 2].map(() => {
    const w = backend.tensor([rows, columns], initial);
    const spec = sgd({ learningRate: 1, momentum: 0.5 });
    return { w, optimizer: target.create(spec, { w }, { accumulate: calls }) };
  });
  for (let call = 0; call < 3 * calls; call += 1) {
    const w = values();
    // Calls without a mask select all rows; the second step has one.
    const mask =
      call === 5 ? undefined : Uint32Array.from(w.subarray(0, rows), (one) => +(one > 0));
    for (const { optimizer } of [arrays, tensors, mixed]) {
      const isArray =
        optimizer === arrays.optimizer || (optimizer === mixed.optimizer && call % 2 > 0);
      const given = mask === undefined || isArray ? mask : tensorOf(backend, mask);
      optimizer.step({ w }, given && { rows: given });
    }
    if (call % calls < calls - 1) continue;
    const expected = await snapshot(arrays.optimizer, { w: arrays.w });
    for (const one of [tensors, mixed])
      assertSameAll(
        await snapshot(one.optimizer, { w: one.w }),
        expected,
        `sgd, step ${arrays.optimizer.iterations} of calls with masks in tensors`,
      );
  }
  for (const { optimizer } of [arrays, tensors, mixed]) optimizer.dispose();
}
