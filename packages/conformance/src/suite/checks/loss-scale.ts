import { adam, sgd, type DynamicLossScale } from "@gradstep/core";
import { assert, assertEqual } from "../assertions.js";
import type { Check, Context } from "../check.js";
import { Random } from "../random/random.js";

/** Loss scales, which grow after steps with finite gradients and shrink after others, as a plain model does. */
export const lossScaleChecks: readonly Check[] = [
  {
    group: "calls and steps",
    name: "lossScale: gradients are divided by a scale that grows and shrinks",
    needs: ["skippedSteps"],
    run: async (context) => {
      const scale = { initial: 4, growthInterval: 3, growthFactor: 2, backoffFactor: 0.25 };
      await train(context, scale, [4, 5, 9, 13]);
      // The greatest power of two of f32 does not grow any more.
      await train(context, { ...scale, initial: 2 ** 126, growthInterval: 1 }, []);
    },
  },
  {
    group: "calls and steps",
    name: "lossScale: a lazy sparse gradient changes the rows that have an index",
    needs: ["skippedSteps", "rows"],
    run: stepOfSomeRows,
  },
];

async function stepOfSomeRows({ target }: Context): Promise<void> {
  const backend = await target.backend();
  const w = backend.tensor([3, 2], [1, 2, 3, 4, 5, 6]);
  const optimizer = target.create(
    adam({ learningRate: 0.5 }),
    { w },
    { sparse: "lazy", lossScale: 4 },
  );
  const step = (...rows: number[]): void => {
    const values = new Float32Array(2 * rows.length).fill(4);
    optimizer.step({ w: { indices: Uint32Array.from(rows), values } });
  };
  step(0, 1, 2);
  const before = await w.read();
  step(1);
  const after = await w.read();
  after.forEach((value, i) => {
    const isListed = i === 2 || i === 3;
    assert(
      (value !== before[i]) === isListed,
      `adam, step 2 with a loss scale and a gradient of row 1: p of "w"[${i}] was ${before[i]} and is ${value}; expected ${isListed ? "another value" : "the same"}`,
    );
  });
  optimizer.dispose();
}

/** @param bad the calls with a gradient that is not finite */
async function train(
  context: Context,
  options: Required<DynamicLossScale>,
  bad: readonly number[],
): Promise<void> {
  const { initial, growthInterval, growthFactor, backoffFactor } = options;
  const random = Random.of(context.seed, "loss scale");
  const backend = await context.target.backend();
  const w = backend.tensor([3], [0, 0, 0]);
  const optimizer = context.target.create(sgd({ learningRate: 1 }), { w }, { lossScale: options });
  const p = new Float32Array(3);
  let [scale, goodSteps, skippedSteps, consecutiveSkips] = [initial, 0, 0, 0];
  for (let call = 0; call < 16; call += 1) {
    // Sums of these are exact, and products with the scale.
    const unscaled = Float32Array.from(p, () => random.integer(1, 32) / initial);
    const gradient = unscaled.map((value) => value * scale);
    if (bad.includes(call)) gradient[random.integer(0, 2)] = random.pick([Infinity, Number.NaN]);
    optimizer.step({ w: gradient });
    if (bad.includes(call)) {
      scale *= backoffFactor;
      goodSteps = 0;
      skippedSteps += 1;
      consecutiveSkips += 1;
    } else {
      p.forEach((_, i) => (p[i] -= unscaled[i]));
      goodSteps += 1;
      consecutiveSkips = 0;
      if (goodSteps === growthInterval) {
        goodSteps = 0;
        if (scale * growthFactor < 2 ** 128) scale *= growthFactor;
      }
    }
    const where = `call ${call + 1} with a loss scale`;
    const metrics = await optimizer.metrics();
    const expected = { lossScale: scale, skippedSteps, consecutiveSkips };
    assertEqual(metrics, expected, `what is counted after ${where}`);
    assertEqual(optimizer.lossScale, scale, `lossScale after ${where}`);
    const { control, iterations } = await optimizer.state();
    assertEqual(
      control?.lossScale,
      { scale, goodSteps },
      `the loss scale in a state after ${where}`,
    );
    assertEqual(iterations, call + 1 - skippedSteps, `the steps in a state after ${where}`);
    const values = await w.read();
    // A division by a power of two may be rounded in WGSL.
    const bound = backend.exact ? 0 : (2 ** -20 * 32 * 16) / initial;
    p.forEach((value, i) => {
      assert(
        Math.abs(values[i] - value) <= bound,
        `sgd, step ${iterations} with a loss scale: p of "w"[${i}] is ${values[i]}; expected ${value} (bound ${bound})`,
      );
    });
  }
  optimizer.dispose();
}
