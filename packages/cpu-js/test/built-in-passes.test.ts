// Built-in rules and stages of several passes: exact kernels give the bits of the reference.
import { adam, chain, type OptimizerSpec, type Stage, type StageSpec } from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import { allRules } from "@gradstep/core/rules";
import { stages } from "@gradstep/core/stages";
import { expect, test } from "vitest";
import { cpuJs } from "../src/index.js";
import { after, differingArrays, stepsFor } from "./steps.js";

const tensors = { vector: [17], number: [], matrix: [7, 5], wide: [2, 1030], batch: [3, 4, 5] };

/** A rule with its defaults, and with each other value of an option. */
const specs = allRules
  .filter((rule) => rule.variants().some(({ schedule }) => schedule.passes.length > 1))
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

test.each<readonly [string, OptimizerSpec]>([...specs, ...chains])("%s", async (_, spec) => {
  const steps = stepsFor(tensors, 3);
  const wanted = await after(reference(), spec, tensors, steps);
  const got = await after(cpuJs({ exact: true }), spec, tensors, steps);
  expect(differingArrays(got, wanted)).toEqual([]);
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
