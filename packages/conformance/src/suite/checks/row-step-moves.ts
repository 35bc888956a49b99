import { adam, newRow, sgd, type Optimizer } from "@gradstep/core";
import { assert, assertEqual, assertSame } from "../assertions.js";
import type { Check, Context } from "../check.js";

/** The steps that rows count go with the rows, and begin again at 0 where slots do. */
export const rowStepMoveChecks: readonly Check[] = [
  {
    group: "sparse gradients",
    name: "rowSteps: the steps of rows are moved and reset with them",
    needs: ["rows", "rowSteps"],
    run: checkMoves,
  },
  {
    group: "sparse gradients",
    name: "rowSteps: schedules have the value of the optimizer's step",
    needs: ["rows", "rowSteps"],
    run: checkSchedule,
  },
];

/** The rate doubles from step to step; rows that have taken the same number of steps are updated at different ones. */
async function checkSchedule({ target }: Context): Promise<void> {
  const backend = await target.backend();
  const w = backend.tensor([3, 1]);
  const optimizer = target.create(
    sgd({ learningRate: (step: number) => 2 ** step }),
    { w },
    { sparse: "lazy", rowSteps: true },
  );
  const steps: readonly (readonly [readonly number[], readonly number[]])[] = [
    [[0], [-1, 0, 0]],
    [[1], [-1, -2, 0]],
    [
      [2, 0],
      [-5, -2, -4],
    ],
  ];
  for (const [i, [rows, expected]] of steps.entries()) {
    const values = new Float32Array(rows.length).fill(1);
    optimizer.step({ w: { indices: Uint32Array.from(rows), values } });
    assertSame(
      await w.read(),
      expected,
      `sgd, step ${i + 1}, of rows ${rows.join(" and ")}`,
      'p of "w"',
    );
  }
  optimizer.dispose();
}

async function checkMoves({ target }: Context): Promise<void> {
  const backend = await target.backend();
  const w = backend.tensor([3, 2], [1, 2, 3, 4, 5, 6]);
  const rate = 0.125;
  const options = { sparse: "lazy", rowSteps: true } as const;
  const spec = adam({ learningRate: rate });
  const optimizer = target.create(spec, { w }, options) as unknown as Optimizer;
  const step = (...rows: number[]): void => {
    const values = new Float32Array(2 * rows.length).fill(1);
    optimizer.step({ w: { indices: Uint32Array.from(rows), values } });
  };
  const assertSteps = async (expected: readonly number[], when: string): Promise<void> => {
    const { rowSteps } = await optimizer.state();
    assertEqual([...(rowSteps?.["w"] ?? [])], expected, `the steps of rows ${when}`);
  };
  step(0, 2);
  step(2);
  await assertSteps([1, 0, 2], "after two steps");
  const resetRows = Uint32Array.of(0, 0, 1, 0);
  optimizer.rows("w").remap(Uint32Array.of(2, newRow, 2, 0), { resetRows });
  await assertSteps([2, 0, 0, 1], "after a remap");
  step(3, 1);
  await assertSteps([2, 1, 0, 2], "after a step of moved rows");
  optimizer.reset("w", { columns: [0, 1] });
  await assertSteps([2, 1, 0, 2], "after a reset of some columns");
  optimizer.reset("w", { rows: Uint32Array.of(1, 0, 0, 0) });
  await assertSteps([0, 1, 0, 2], "after a reset of some rows");
  const before = await w.read();
  step(0, 1, 2, 3);
  const after = await w.read();
  // The first step of Adam is its rate; ε and rounding are far below the bound.
  const bound = 2 ** -18;
  for (const i of [0, 1, 4, 5]) {
    const expected = before[i] - rate;
    assert(
      Math.abs(after[i] - expected) <= bound,
      `adam, step ${optimizer.iterations}: p of "w"[${i}], the first step of its row, is ${after[i]}; expected ${expected} (bound ${bound})`,
    );
  }
  optimizer.dispose();
}
