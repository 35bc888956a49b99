// Built-in rules and stages of several passes: exact kernels give the bits of the reference.
import {
  adam,
  chain,
  createOptimizer,
  newRow,
  variantOf,
  type Optimizer,
  type OptimizerSpec,
  type Stage,
  type StageSpec,
  type WrappingBackend,
} from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import { rules } from "@gradstep/core/rules";
import { stages } from "@gradstep/core/stages";
import { expect, test } from "vitest";
import { sampled } from "../../../testing/cases.js";
import { cpuJs } from "../src/index.js";
import { numbers } from "./support.js";
import { after, differingArrays, stepsFor } from "./steps.js";

const tensors = { vector: [17], number: [], matrix: [7, 5], wide: [2, 1030], batch: [3, 4, 5] };

/** A rule with its defaults, and with each other value of an option. */
const specs = rules
  .filter((rule) => rule.variants().some(({ passPlan }) => passPlan.passes.length > 1))
  .flatMap((rule) => [
    [rule.name, rule.specify({ weightDecay: 0.01 })] as const,
    ...Object.entries(rule.options).flatMap(([option, values]) =>
      values
        .slice(1)
        .map(
          (value) =>
            [
              `${rule.name}, ${option}: ${value}`,
              rule.specify({ weightDecay: 0.01, [option]: value }),
            ] as const,
        ),
    ),
  ]);

const specOf = (stage: Stage): StageSpec => ({
  stage,
  hyperparameters: stage.specify({}).hyperparameters,
  options: stage.specify({}).options,
});
// With all that a stage may read of a rule.
const rule = adam({ learningRate: 0.1 });
const chains = stages.map(
  (stage) =>
    [
      stage.name,
      stage.updated === "g" ? chain(specOf(stage), rule) : chain(rule, specOf(stage)),
    ] as const,
);

test.each<readonly [string, OptimizerSpec]>(sampled([...specs, ...chains], 8))(
  "%s",
  async (_, spec) => {
    const steps = stepsFor(tensors, 3);
    const wanted = await after(reference(), spec, tensors, steps);
    const got = await after(cpuJs({ exact: true }), spec, tensors, steps);
    expect(differingArrays(got, wanted)).toEqual([]);
  },
);

/** Every array after a change between two steps. */
async function changed(
  backend: WrappingBackend<Float32Array>,
  spec: OptimizerSpec,
  change: (optimizer: Optimizer) => void,
): Promise<Record<string, Float32Array>> {
  const parameters = {
    w: backend.tensor([6, 4], numbers(24, 1)),
    x: backend.tensor([6], numbers(6, 2)),
  };
  const optimizer = createOptimizer(spec, parameters);
  const step = (rows: number): void =>
    optimizer.step({ w: numbers(rows * 4, 3), x: numbers(rows, 4) });
  step(6);
  change(optimizer);
  const w = (await parameters.w.read()) as Float32Array;
  if (optimizer.isSwapped) optimizer.swap();
  else step(parameters.x.size);
  const entries = Object.entries((await optimizer.state()).slots.w ?? {});
  return {
    changed: w,
    w: (await parameters.w.read()) as Float32Array,
    ...(Object.fromEntries(entries) as Record<string, Float32Array>),
  };
}

test.each<readonly [string, OptimizerSpec]>(sampled([...specs, ...chains], 8))(
  "%s after rows were added, and after rows were removed",
  async (_, spec) => {
    for (const indices of [
      [5, newRow, 0, 1, 2, 3, 4, newRow],
      [4, 1],
    ]) {
      const remap = (optimizer: Optimizer): void =>
        optimizer.rows().remap(Uint32Array.from(indices));
      const wanted = await changed(reference(), spec, remap);
      expect(differingArrays(await changed(cpuJs({ exact: true }), spec, remap), wanted)).toEqual(
        [],
      );
    }
  },
);

test.each<readonly [string, OptimizerSpec]>(
  [...specs, ...chains].filter(([, spec]) => variantOf(spec).evaluation !== undefined),
)("%s: the weights to evaluate with", async (_, spec) => {
  const swap = (optimizer: Optimizer): void => optimizer.swap();
  const wanted = await changed(reference(), spec, swap);
  expect(differingArrays(await changed(cpuJs({ exact: true }), spec, swap), wanted)).toEqual([]);
});

test.each(
  stages.filter(({ updated }) => updated !== "u").map((stage) => [stage.name, stage] as const),
)("the stage %s is compiled", (_, stage) => {
  const spec = stage.updated === "g" ? chain(specOf(stage), rule) : chain(rule, specOf(stage));
  for (const backend of [cpuJs(), cpuJs({ exact: true })]) {
    const { source } = backend.compile(spec.rule.variant());
    expect(source.match(/function \w+/g)?.length).toBeGreaterThan(1);
  }
});
