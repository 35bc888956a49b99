import {
  adam,
  chain,
  clipByGlobalNorm,
  createOptimizer,
  defineRule,
  defineStage,
  ema,
  lamb,
  muon,
  nonNegative,
  sgd,
  variantOf,
  type OptimizerSpec,
  type WrappingBackend,
} from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import { describe, expect, test } from "vitest";
import { sampled } from "../../../testing/cases.js";
import { passes } from "../src/passes/compile-passes.js";
import { createCpuJs } from "../src/cpu-js.js";
import { generate } from "../src/generate.js";
import { cpuJs } from "../src/index.js";
import { compiled } from "./compile.js";
import { after, differingArrays, stepsFor } from "./steps.js";
import { codeOf, differences } from "./support.js";

const learningRate = nonNegative(0.1);
const halved = defineStage({ name: "halved", perElement: "u = u * 0.5" });

describe("chains", () => {
  const clip = clipByGlobalNorm(0.5);
  const scaled = defineStage({
    name: "scaled",
    hyperparameters: { factor: nonNegative(0.5) },
    perElement: "g = g * factor + meanRow(g) * p + p * 0.25",
  });
  const unit = defineStage({
    name: "unit-norm",
    slots: { norms: { extent: "row", initial: 0 } },
    perElement: "norms = normRow(p)\n p = p / (norms + 1e-7)",
  });
  const noted = defineStage({
    name: "noted",
    slots: { scaledNorm: 0 },
    perElement: "g = g / (1 + normTensor(g))\nscaledNorm = g * normTensor(g)",
  });
  const momentum = defineRule({
    name: "momentum",
    hyperparameters: { learningRate },
    slots: { m: 0 },
    perElement: "m = m * 0.9 + g\nu = m * learningRate",
  });
  const specs: Readonly<Record<string, OptimizerSpec>> = {
    "clip, adam, average": chain(clip, adam({ weightDecay: 0.1 }), ema(0.9)),
    "two stages on the gradient": chain(scaled(), clip, sgd({ learningRate: 0.1, momentum: 0.9 })),
    "two that have reductions": chain(clip, scaled(), lamb(), unit(), ema(0.5)),
    "a stage that goes on with the gradient that it has changed": chain(noted(), clip, adam()),
    "adam and an average": chain(adam(), ema(0.9)),
    "a stage on the update": chain(clip, adam(), halved(), ema(0.9)),
    "a rule that is not built in": chain(clip, momentum(), ema(0.9)),
  };
  const tensors = { a: [9, 4], b: [6, 2, 3], c: [1100], d: [] };

  describe.each(sampled(Object.entries(specs), 3))("%s", (_, spec) => {
    const make = async (): Promise<WrappingBackend<Float32Array>[]> => [
      cpuJs({ exact: true }),
      cpuJs({ exact: true, kernels: [await compiled(spec, true), await compiled(scaled, true)] }),
      createCpuJs({ exact: true, passes }),
    ];

    test("gives the bits of the fused program", async () => {
      const steps = stepsFor(tensors, 4);
      const wanted = await after(reference(), spec, tensors, steps);
      for (const backend of await make())
        expect(differingArrays(await after(backend, spec, tensors, steps), wanted)).toEqual([]);
    });

    test.each(["keep", "decay", "zero"] as const)("with masks, other rows: %s", async (how) => {
      const masked = { a: [9, 4], b: [6, 2, 3], c: [1100] };
      const steps = stepsFor(masked, 3, (step) => ({
        unselectedRows: how,
        // In every second step, the first tensor has none.
        rows: Object.fromEntries(
          Object.entries(masked)
            .slice(step % 2)
            .map(([name, [length]]) => [
              name,
              Uint32Array.from({ length }, (__, r) => (r + step) % 3),
            ]),
        ),
      }));
      const wanted = await after(reference(), spec, masked, steps);
      for (const backend of await make())
        expect(differingArrays(await after(backend, spec, masked, steps), wanted)).toEqual([]);
    });
  });

  test("the parts of a chain of built-in stages are compiled; a chain that is generated is one kernel", async () => {
    const spec = specs["clip, adam, average"];
    const parts = cpuJs().compile(variantOf(spec)).source;
    expect(parts.match(/function update\w+/g)).toEqual([
      ...[0, 1, 2, 3].map((i) => `function updateClip_by_global_norm_pass${i}`),
      "function updateAdam",
      "function updateEma",
    ]);
    const mixed = cpuJs().compile(variantOf(specs["a rule that is not built in"])).source;
    expect(mixed).toContain("function updateClip_by_global_norm_pass0");
    expect(mixed).toContain("function updateEma");
    const fused = cpuJs({ kernels: [await compiled(spec, false)] }).compile(variantOf(spec)).source;
    expect(fused.match(/function update\w+/g)).toEqual(
      [0, 1, 2, 3].map((i) => `function updateClip_by_global_norm_adam_ema_pass${i}`),
    );
  });

  test("the sources of all functions are shown, and what has none is left out", () => {
    const { source } = cpuJs().compile(variantOf(chain(clip, muon())));
    const functions = source.split("\n\n");
    expect(functions.length).toBeGreaterThan(4);
    for (const one of functions) expect(one).toMatch(/^function update\w+\(.*\) \{[^]*\}$/);
  });

  test("rows that would count their own steps are refused, and the message names the chain", () => {
    const w = cpuJs().tensor([2, 1]);
    const options = { sparse: "lazy", rowSteps: true } as const;
    expect(() => createOptimizer(chain(adam(), ema(0.9)), { w }, options)).toThrow(
      expect.objectContaining({
        code: "UNSUPPORTED",
        message: expect.stringContaining(
          'Rows of "w" cannot count their own steps with adam+ema on backend cpu-js;',
        ) as string,
      }),
    );
  });

  test("a stage whose rows are others than the rule's does not run as a part", async () => {
    const weighted = defineStage({
      name: "weighted",
      matrices: "last",
      slots: { weight: { extent: "row", initial: 0.5 } },
      perElement: "p = p * weight",
    });
    const ofRows = defineRule({
      name: "of-rows",
      hyperparameters: { learningRate },
      perElement: "u = learningRate * meanRow(g)",
    });
    const shapes = { b: [2, 2, 3] };
    const steps = stepsFor(shapes, 2);
    const spec = chain(clip, ofRows(), weighted());
    const wanted = await after(reference(), spec, shapes, steps);
    const got = await after(cpuJs({ exact: true }), spec, shapes, steps);
    expect(differingArrays(got, wanted)).toEqual([]);
  });

  test("a stage on the update has no kernel of its own", () => {
    const averaged = defineStage({
      name: "averaged",
      slots: { mean: { extent: "element", initial: 0 } },
      perElement: `
        mean = (mean + u) / 2
        u = mean
      `,
    });
    for (const stage of [halved, averaged])
      expect(codeOf(() => generate(stage))).toBe("INVALID_RULE");
  });
});

describe("rules that run together", () => {
  const clip = (): ReturnType<typeof clipByGlobalNorm> => clipByGlobalNorm(0.5);
  const first = chain(clip(), adam(), ema(0.9));
  const centered = defineStage({ name: "centered", perElement: "g = g - meanRow(g)" });
  const descent = sgd({ learningRate: 0.1 });
  const limited = defineStage({
    name: "limited",
    hyperparameters: { limit: nonNegative(0.25) },
    perElement: "g = max(-limit, min(limit, g))",
  });
  const same = defineRule({
    name: "same",
    hyperparameters: { learningRate },
    slots: { d: { extent: "all", initial: 0 } },
    perElement: "d = d + normAll(g) * learningRate\nu = g / d",
  })();
  const cases: Readonly<
    Record<string, readonly [all: OptimizerSpec, b: OptimizerSpec, d?: OptimizerSpec]>
  > = {
    "both as parts": [first, chain(clip(), descent)],
    "one fused, because of a stage on the update": [first, chain(clip(), descent, halved())],
    "both fused, because the norm is not of the first part": [
      chain(centered(), clip(), adam()),
      chain(centered(), clip(), descent),
    ],
    "two of three, since the third changes the gradient before": [
      first,
      chain(clip(), descent),
      chain(limited(), clip(), descent),
    ],
    "the same rule twice": [
      same,
      { ...same, hyperparameters: { ...same.hyperparameters, learningRate: 0.5 } },
    ],
    "a rule with a norm of its own": [
      first,
      defineRule({
        name: "normed",
        hyperparameters: { learningRate },
        slots: { d: { extent: "all", initial: 0 } },
        perElement: "d = d + normAll(g)\nu = g * learningRate / (d + meanAll(p))",
      })(),
    ],
  };
  const tensors = { a: [9, 4], b: [6, 2, 3], c: [700], d: [3, 3] };

  test.each(Object.entries(cases))("%s", async (_, [spec, b, d = b]) => {
    const groups =
      d === b
        ? [{ match: ["b", "d"], rule: b }]
        : [
            { match: "b", rule: b },
            { match: "d", rule: d },
          ];
    const together = { ...spec, groups } as OptimizerSpec;
    const steps = stepsFor(tensors, 3);
    const wanted = await after(reference(), together, tensors, steps);
    const alone = steps.map(({ gradients: { a, c } }) => ({ gradients: { a, c } }));
    const apart = await after(reference(), spec, { a: tensors.a, c: tensors.c }, alone);
    expect(differences(apart.a, wanted.a)).not.toEqual([]);
    for (const backend of [cpuJs({ exact: true }), createCpuJs({ exact: true, passes })])
      expect(differingArrays(await after(backend, together, tensors, steps), wanted)).toEqual([]);
  });
});
