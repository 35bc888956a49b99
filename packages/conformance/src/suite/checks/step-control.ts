import { chain, clipByGlobalNorm, ema, newRow, sgd, type WrappingBackend } from "@gradstep/core";
import { snapshot } from "../../checker/snapshot.js";
import {
  assert,
  assertCode,
  assertEqual,
  assertNear,
  assertSame,
  assertSameAll,
} from "../assertions.js";
import { canSkip } from "../can-skip.js";
import type { Check, Context } from "../check.js";
import { Random } from "../random/random.js";

const group = "calls and steps";

/** `accumulate` and `nonFinite`: which calls make a step, and what they change. */
export const stepControlChecks: readonly Check[] = [
  { group, name: "accumulate: several calls make one step of their mean", run: accumulation },
  {
    group,
    name: "accumulate: a parameter without a gradient in the calls of a step stays as it is",
    run: missingGradients,
  },
  { group, name: "accumulate: the sum of zeros below 0 is one, too", run: zerosBelow },
  { group, name: "nonFinite: a step that is skipped changes nothing", run: skippedSteps },
  {
    group,
    name: "nonFinite: rows that a mask leaves out may be anything",
    needs: ["rows", "skippedSteps"],
    run: unselectedRows,
  },
  {
    group,
    name: "nonFinite: of a gradient with gaps, the values count alone",
    needs: ["layouts", "wrapsArrays"],
    run: gapsOfGradients,
  },
];

const shapes = { w: [7, 5], b: [3] };

/** Multiples of 1/16, whose sums and means of four are exact. */
function gradientOf(size: number, random: Random): Float32Array {
  return Float32Array.from({ length: size }, () => random.integer(-32, 32) / 16);
}

/** The largest error of a mean of four values up to 2, with a division within 2.5 ulp, and of the step with it. */
const tolerance = 2 ** -20;

async function accumulation(context: Context): Promise<void> {
  const backend = await context.target.backend();
  const random = Random.of(context.seed, "accumulation");
  const parameters = {
    w: backend.tensor(shapes.w, gradientOf(35, random)),
    b: backend.tensor(shapes.b, gradientOf(3, random)),
  };
  const optimizer = context.target.create(sgd({ learningRate: 1 }), parameters, { accumulate: 4 });
  for (let step = 1; step <= 3; step += 1) {
    const before = await snapshot(optimizer, parameters);
    const expected = { w: before.w.p.slice(), b: before.b.p.slice() };
    for (let call = 0; call < 4; call += 1) {
      assertEqual(optimizer.microSteps, call, "microSteps");
      const w = gradientOf(35, random);
      const b = gradientOf(3, random);
      w.forEach((g, i) => (expected.w[i] -= g / 4));
      // A gradient that is missing in a call counts as 0.
      const isMissing = call === step;
      if (!isMissing) b.forEach((g, i) => (expected.b[i] -= g / 4));
      optimizer.step(isMissing ? { w } : { w, b });
      if (call < 3)
        assertSameAll(await snapshot(optimizer, parameters), before, `after call ${call + 1}`);
    }
    assertEqual(optimizer.iterations, step, "iterations");
    const after = await snapshot(optimizer, parameters);
    for (const name of ["w", "b"] as const)
      after[name].p.forEach((value, i) => {
        const error = Math.abs(value - expected[name][i]);
        assert(
          error <= (backend.exact ? 0 : tolerance),
          `sgd, step ${step}: p of "${name}"[${i}] is ${value}; expected ${expected[name][i]} (bound ${backend.exact ? 0 : tolerance})`,
        );
      });
  }
  optimizer.dispose();
}

/** Exact: the momentum 0.5 of an update with zeros would show. */
async function missingGradients({ target }: Context): Promise<void> {
  const backend = await target.backend();
  const parameters = { w: backend.tensor([2]), b: backend.tensor([1]) };
  const spec = sgd({ learningRate: 1, momentum: 0.5 });
  const optimizer = target.create(spec, parameters, { accumulate: 2 });
  const w = Float32Array.of(4, 8);
  const b = Float32Array.of(2);
  const steps = [
    { gradients: { w, b }, p: { w: [-4, -8], b: [-2] } },
    { gradients: { w }, p: { w: [-10, -20], b: [-2] } },
    { gradients: { b }, p: { w: [-10, -20], b: [-5] } },
  ];
  for (const [i, { gradients, p }] of steps.entries()) {
    for (let call = 0; call < 2; call += 1) optimizer.step(gradients);
    for (const name of ["w", "b"] as const)
      assertNear(
        await parameters[name].read(),
        p[name],
        backend.exact,
        `sgd, step ${i + 1} of two calls`,
        `p of "${name}"`,
      );
  }
  optimizer.dispose();
}

/** −0 − (−0) is 0, −0 − 0 is −0: whether a sum of zeros has kept its sign. Devices need not keep it. */
async function zerosBelow({ target }: Context): Promise<void> {
  const backend = await target.backend();
  const w = backend.tensor([2, 2], [-0, -0, -0, -0]);
  const optimizer = target.create(sgd({ learningRate: 1 }), { w }, { accumulate: 2 });
  const state = structuredClone(await optimizer.state());
  const call = (rows: number): void => optimizer.step({ w: new Float32Array(2 * rows).fill(-0) });
  const check = async (rows: number, where: string): Promise<void> => {
    if (!target.model.flushes)
      assertSame(await w.read(), new Float32Array(2 * rows), `sgd, ${where}`, 'p of "w"');
    w.write(new Float32Array(2 * rows).fill(-0));
  };
  for (const step of [1, 2]) {
    call(2);
    call(2);
    await check(2, `step ${step}`);
  }
  call(2);
  optimizer.restore(state);
  call(2);
  call(2);
  await check(2, "step 1 after restore()");
  if (target.rows !== false && backend.remap !== undefined) {
    call(2);
    optimizer.rows().remap(Uint32Array.of(1, 0, newRow));
    w.write(new Float32Array(6).fill(-0));
    call(3);
    await check(3, "step 2 after restore(), with a row that was added in it");
  }
  optimizer.dispose();
}

async function skippedSteps(context: Context): Promise<void> {
  const backend = await context.target.backend();
  const random = Random.of(context.seed, "skipped steps");
  const initial = { w: gradientOf(35, random), b: gradientOf(3, random) };
  const start = () => {
    const parameters = {
      w: backend.tensor(shapes.w, initial.w),
      b: backend.tensor(shapes.b, initial.b),
    };
    const spec =
      backend.copy === undefined || context.target.reductions === false
        ? sgd({ momentum: 0.9 })
        : chain(clipByGlobalNorm(1), sgd({ momentum: 0.9 }), ema(0.5));
    return {
      parameters,
      optimizer: context.target.create(spec, parameters, { nonFinite: "skip" }),
    };
  };
  if (!canSkip(backend)) {
    await assertCode("UNSUPPORTED", "nonFinite on a backend that cannot look at gradients", start);
    return;
  }
  const [skipping, plain] = [start(), start()];
  for (let step = 0; step < 6; step += 1) {
    const gradients = { w: gradientOf(35, random), b: gradientOf(3, random) };
    const bad = { w: gradients.w.slice(), b: gradients.b.slice() };
    const array = random.pick([bad.w, bad.b]);
    array[random.integer(0, array.length - 1)] = random.pick([Number.NaN, Infinity, -Infinity]);
    const before = await snapshot(skipping.optimizer, skipping.parameters);
    skipping.optimizer.step(bad);
    assertSameAll(
      await snapshot(skipping.optimizer, skipping.parameters),
      before,
      `after a step with ${[...array].find((value) => !Number.isFinite(value))}`,
    );
    for (const { optimizer } of [skipping, plain]) optimizer.step(gradients);
    assertSameAll(
      await snapshot(skipping.optimizer, skipping.parameters),
      await snapshot(plain.optimizer, plain.parameters),
      "after the next step",
    );
  }
  const { skippedSteps: skipped } = await skipping.optimizer.metrics();
  assertEqual(skipped, 6, "skippedSteps");
  for (const { optimizer } of [skipping, plain]) optimizer.dispose();
}

async function unselectedRows(context: Context): Promise<void> {
  const backend = await context.target.backend();
  const w = backend.tensor([3, 2], [1, 2, 3, 4, 5, 6]);
  const spec = sgd({ learningRate: 1 });
  const optimizer = context.target.create(spec, { w }, { nonFinite: "skip" });
  const gradient = Float32Array.of(1, 1, Number.NaN, 1, 1, Infinity);
  for (const [rows, expected] of [
    [
      [1, 0, 0],
      [0, 1, 3, 4, 5, 6],
    ],
    [
      [1, 0, 1],
      [0, 1, 3, 4, 5, 6],
    ],
    [
      [0, 1, 0],
      [0, 1, 3, 4, 5, 6],
    ],
    [
      [7, 0, 0],
      [-1, 0, 3, 4, 5, 6],
    ],
  ] as const) {
    optimizer.step({ w: gradient }, { rows: Uint32Array.from(rows) });
    const where = `sgd, step ${optimizer.iterations} of the rows ${rows.join()}`;
    assertSame(await w.read(), expected, where, 'p of "w"');
  }
  optimizer.dispose();
}

async function gapsOfGradients(context: Context): Promise<void> {
  const backend = (await context.target.backend()) as WrappingBackend<Float32Array>;
  const w = backend.tensor([2, 2], [1, 2, 3, 4]);
  const spec = sgd({ learningRate: 1 });
  const optimizer = context.target.create(spec, { w }, { nonFinite: "skip" });
  const memory = Float32Array.of(1, 1, Number.NaN, 1, 1);
  const gradient = backend.wrap(memory, { shape: [2, 2], rowStride: 3 });
  optimizer.step({ w: gradient });
  assertSame(await w.read(), [0, 1, 2, 3], "sgd, step 1 with NaN between rows", 'p of "w"');
  memory[4] = Number.NaN;
  optimizer.step({ w: gradient });
  assertSame(await w.read(), [0, 1, 2, 3], "sgd, step 1 and NaN in a row", 'p of "w"');
  optimizer.dispose();
}
