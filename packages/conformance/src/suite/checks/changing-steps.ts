import { sgd, type OptimizerOptions, type WrappingBackend } from "@gradstep/core";
import { assertCode, assertSame } from "../assertions.js";
import type { Check, Context } from "../check.js";
import { withRepeater } from "../with-repeater.js";
import { wrappedMask } from "../wrapped-mask.js";

/** Steps that differ from the last one in how their gradients are given. Values are integers, whose sums are exact. */
export const changingStepChecks: readonly Check[] = [
  {
    group: "calls and steps",
    name: "clear: a gradient is cleared that was not in the steps before",
    needs: ["layouts"],
    run: (context) => clearLater(context),
  },
  {
    group: "calls and steps",
    name: "clear: the same where each row counts its own steps",
    needs: ["layouts", "rows", "rowSteps"],
    run: (context) => clearLater(context, { sparse: "lazy", rowSteps: true }),
  },
  {
    group: "calls and steps",
    name: "gradients with gaps, and masks in tensors, follow plain ones",
    needs: ["layouts", "wrapsArrays"],
    run: layoutsLater,
  },
  {
    group: "calls and steps",
    name: "nonFinite: after a skipped step, a sparse gradient of fewer rows is taken",
    needs: ["rows", "skippedSteps"],
    run: fewerRows,
  },
  {
    group: "calls and steps",
    name: "a gradient of a parameter that was removed is refused",
    run: removeBetween,
  },
];

const spec = sgd({ learningRate: 1 });

/** An optimizer that has taken two steps with the same tensor. */
async function start({ target }: Context, options: OptimizerOptions = {}) {
  const backend = withRepeater(await target.backend());
  const w = backend.tensor([2, 2], [1, 2, 3, 4]);
  const g = backend.tensor([2, 2], [1, 1, 2, 2]);
  const optimizer = target.create(spec, { w }, options) as ReturnType<typeof target.create>;
  for (let step = 0; step < 2; step += 1) optimizer.step({ w: g });
  const check = async (where: string, values: readonly number[]): Promise<void> =>
    assertSame(await w.read(), values, `sgd, ${where}`, 'p of "w"');
  await check("step 2", [-1, 0, -1, 0]);
  return { backend, g, optimizer, check };
}

async function clearLater(context: Context, options?: OptimizerOptions): Promise<void> {
  const { g, optimizer, check } = await start(context, options);
  optimizer.step({ w: g }, { clear: true });
  await check("step 3, with clear", [-2, -1, -3, -2]);
  assertSame(await g.read(), [0, 0, 0, 0], "sgd, step 3, with clear", "the gradient");
  g.write([1, 2, 3, 4]);
  optimizer.step({ w: g });
  await check("step 4, without clear", [-3, -3, -6, -6]);
  assertSame(await g.read(), [1, 2, 3, 4], "sgd, step 4, without clear", "the gradient");
  optimizer.dispose();
}

async function layoutsLater(context: Context): Promise<void> {
  const { backend, g, optimizer, check } = await start(context);
  const wrapping = backend as WrappingBackend<Float32Array>;
  const wide = wrapping.wrap(Float32Array.of(1, 2, 64, 3, 4), { shape: [2, 2], rowStride: 3 });
  optimizer.step({ w: wide });
  await check("step 3, with a gap in the gradient", [-2, -2, -4, -4]);
  optimizer.step({ w: g });
  await check("step 4, without gaps", [-3, -3, -6, -6]);
  if (context.target.rows !== false && backend.remap !== undefined) {
    const mask = wrappedMask(backend, Uint32Array.of(0, 1));
    optimizer.step({ w: g }, { rows: mask });
    await check("step 5, with a mask in a tensor", [-3, -3, -8, -8]);
    optimizer.step({ w: g });
    await check("step 6, without a mask", [-4, -4, -10, -10]);
  }
  optimizer.dispose();
}

async function fewerRows({ target }: Context): Promise<void> {
  const backend = await target.backend();
  const w = backend.tensor([4, 1]);
  const optimizer = target.create(spec, { w }, { sparse: "lazy", nonFinite: "skip" });
  const step = (rows: readonly number[], values: readonly number[]): void =>
    optimizer.step({ w: { indices: Uint32Array.from(rows), values: Float32Array.from(values) } });
  step([0, 1, 2], [1, 2, Number.NaN]);
  assertSame(await w.read(), [0, 0, 0, 0], "sgd, a step that is skipped", 'p of "w"');
  step([3], [4]);
  assertSame(await w.read(), [0, 0, 0, -4], "sgd, the step after it, of one row", 'p of "w"');
  optimizer.dispose();
}

async function removeBetween({ target }: Context): Promise<void> {
  const backend = withRepeater(await target.backend());
  const a = backend.tensor([2], [1, 2]);
  const b = backend.tensor([1], [3]);
  const gradients = { a: backend.tensor([2], [1, 1]), b: backend.tensor([1], [1]) };
  const optimizer = target.create(spec, { a, b });
  for (let step = 0; step < 3; step += 1) optimizer.step(gradients);
  optimizer.remove("b");
  await assertCode("UNKNOWN_PARAMETER", "a gradient of a removed parameter", () =>
    optimizer.step(gradients),
  );
  optimizer.step({ a: gradients.a });
  assertSame(await a.read(), [-3, -2], "sgd, step 4, after remove()", 'p of "a"');
  assertSame(await b.read(), [0], "sgd, step 4, after remove()", 'p of "b"');
  optimizer.dispose();
}
