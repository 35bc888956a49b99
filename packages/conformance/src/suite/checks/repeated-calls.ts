import { adam, chain, clipByNorm, sgd, type OptimizerSpec } from "@gradstep/core";
import { snapshot } from "../../checker/snapshot.js";
import { assertEqual, assertNear, assertSame, assertSameAll } from "../assertions.js";
import type { Check, Context } from "../check.js";
import { withRepeater } from "../with-repeater.js";

const group = "repeated steps";

/** Momentum 0.5: what is subtracted in steps 1 to 4 with a gradient of 8, in all. */
const sums = [8, 20, 34, 49];

const withMomentum = sgd({ learningRate: 1, momentum: 0.5 });

/** Steps with the tensors of the last one in which more happens than one kernel run. */
export const repeatedCallChecks: readonly Check[] = [
  {
    group,
    name: "a step of several rules has the updates of all of them",
    run: (context) => severalRules(context, withMomentum),
  },
  {
    group,
    name: "a step of a rule with reductions and one without has the updates of both",
    needs: ["reductions"],
    run: (context) => severalRules(context, chain(clipByNorm({ clipNorm: 2 ** 40 }), withMomentum)),
  },
  {
    group,
    name: "a step whose gradients are not finite any more is skipped",
    needs: ["skippedSteps"],
    run: nonFiniteValues,
  },
  { group, name: "a learningRate of one step is not that of the next", run: rateOfOneStep },
  {
    group,
    name: "a tensor can be the values of a sparse gradient and then a gradient",
    needs: ["rows"],
    run: sparseValues,
  },
  {
    group,
    name: "rows that were moved into another tensor are updated there",
    needs: ["rows"],
    run: replacedParameter,
  },
  {
    group,
    name: "rowSteps: each row has the scalars of its own step",
    needs: ["rows", "rowSteps"],
    run: stepsOfRows,
  },
];

/** Each of the rules in turn is the optimizer's own. */
async function severalRules({ target }: Context, other: OptimizerSpec): Promise<void> {
  const plain = sgd({ learningRate: 1 });
  for (const isOwn of [false, true]) {
    const backend = withRepeater(await target.backend());
    const parameters = { a: backend.tensor([2]), b: backend.tensor([2]) };
    const optimizer = target.create(isOwn ? other : plain, parameters, {
      groups: [{ match: isOwn ? "a" : "b", rule: isOwn ? plain : other }],
    });
    const gradients = { a: backend.tensor([2], [1, 2]), b: backend.tensor([2], [8, -8]) };
    for (const [i, sum] of sums.entries()) {
      optimizer.step(gradients);
      const step = i + 1;
      const where = `sgd and ${other.rule.name}, step ${step} with the same tensors`;
      assertNear(await parameters.a.read(), [-step, -2 * step], backend.exact, where, 'p of "a"');
      assertNear(await parameters.b.read(), [-sum, sum], backend.exact, where, 'p of "b"');
    }
    optimizer.dispose();
  }
}

async function nonFiniteValues({ target }: Context): Promise<void> {
  const backend = withRepeater(await target.backend());
  const a = backend.tensor([2]);
  const optimizer = target.create(withMomentum, { a }, { nonFinite: "skip" });
  const gradient = backend.tensor([2], [8, -8]);
  for (const [i, sum] of sums.entries()) {
    if (i > 1) {
      gradient.write([8, Number.NaN]);
      optimizer.step({ a: gradient });
      gradient.write([8, -8]);
    }
    optimizer.step({ a: gradient });
    assertNear(await a.read(), [-sum, sum], backend.exact, `sgd, step ${i + 1}`, 'p of "a"');
  }
  await optimizer.metrics();
  assertEqual(optimizer.skippedSteps, 2, "skippedSteps");
  optimizer.dispose();
}

async function rateOfOneStep({ target }: Context): Promise<void> {
  const backend = withRepeater(await target.backend());
  const a = backend.tensor([2]);
  const optimizer = target.create(sgd({ learningRate: 1 }), { a });
  const gradient = backend.tensor([2], [1, -2]);
  for (const [i, sum] of [1, 2, 2.5, 3.5, 4.5].entries()) {
    if (i === 2) optimizer.step({ a: gradient }, { learningRate: 0.5 });
    else optimizer.step({ a: gradient });
    assertSame(await a.read(), [-sum, 2 * sum], `sgd, step ${i + 1}`, 'p of "a"');
  }
  optimizer.dispose();
}

async function sparseValues({ target }: Context): Promise<void> {
  const backend = withRepeater(await target.backend());
  const a = backend.tensor([2, 2]);
  const optimizer = target.create(sgd({ learningRate: 1 }), { a }, { sparse: "lazy" });
  const gradient = backend.tensor([2, 2], [1, 2, 3, 4]);
  // In memory that JavaScript cannot read, values need indices that are there, too.
  const values = "view" in gradient ? gradient : Float32Array.of(1, 2, 3, 4);
  const sparse = { indices: Uint32Array.of(1, 0), values };
  const steps = [sparse, gradient, gradient, sparse, gradient];
  const sums = [
    [3, 4, 1, 2],
    [4, 6, 4, 6],
    [5, 8, 7, 10],
    [8, 12, 8, 12],
    [9, 14, 11, 16],
  ];
  for (const [i, step] of steps.entries()) {
    optimizer.step({ a: step });
    assertSame(
      await a.read(),
      sums[i].map((sum) => -sum),
      `sgd, step ${i + 1}`,
      'p of "a"',
    );
  }
  optimizer.dispose();
}

async function replacedParameter({ target }: Context): Promise<void> {
  const backend = withRepeater(await target.backend());
  const a = backend.tensor([2, 1], [1, 2]);
  const optimizer = target.create(sgd({ learningRate: 1 }), { a });
  const gradient = backend.tensor([2, 1], [4, 8]);
  for (let step = 0; step < 3; step += 1) optimizer.step({ a: gradient });
  assertSame(await a.read(), [-11, -22], "sgd, step 3", 'p of "a"');
  const moved = backend.tensor([2, 1], [-22, -11]);
  optimizer.rows().remap(Uint32Array.of(1, 0), { parameters: { a: moved } });
  for (const [i, expected] of [
    [-26, -19],
    [-30, -27],
  ].entries()) {
    optimizer.step({ a: gradient });
    const what = `sgd, step ${i + 4}, after a remap into another tensor`;
    assertSame(await moved.read(), expected, what, 'p of "a"');
    assertSame(await a.read(), [-11, -22], what, "the tensor before it");
  }
  optimizer.dispose();
}

async function stepsOfRows({ target }: Context): Promise<void> {
  const run = async (inTensor: boolean) => {
    const backend = withRepeater(await target.backend());
    const parameters = { a: backend.tensor([3, 2], [1, 2, 3, 4, 5, 6]) };
    const spec = adam({ learningRate: 0.125 });
    const optimizer = target.create(spec, parameters, { sparse: "lazy", rowSteps: true });
    const numbers = Float32Array.of(1, -2, 3, 0.5, -0.25, 4);
    const tensor = backend.tensor([3, 2], numbers);
    const ofRow = { indices: Uint32Array.of(1), values: Float32Array.of(1, -1) };
    optimizer.step({ a: ofRow });
    for (let step = 0; step < 4; step += 1)
      optimizer.step({ a: inTensor ? tensor : numbers.slice() });
    const after = await snapshot(optimizer, parameters);
    optimizer.dispose();
    return after;
  };
  const what = "adam with rowSteps, step 5, with the same tensor and with arrays";
  assertSameAll(await run(true), await run(false), what);
}
