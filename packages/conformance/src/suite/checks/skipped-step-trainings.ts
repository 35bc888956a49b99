import {
  adamw,
  nadam,
  variantOf,
  warmup,
  type Gradients,
  type OptimizerOptions,
  type OptimizerSpec,
  type Rule,
  type StepOptions,
} from "@gradstep/core";
import type { Capability } from "../check.js";
import { choiceCount, randomSettings } from "../random/random-settings.js";
import type { Random } from "../random/random.js";
import { elementwise, needsOf } from "../rule-needs.js";

const sizes = { w: 12, b: 3, s: 2 } as const;

/** A call of `step`. */
export interface Call {
  readonly gradients: Gradients;
  readonly options?: StepOptions;
}

/** Training of which some steps are skipped. */
export interface Training {
  readonly name: string;
  readonly needs?: readonly Capability[];
  readonly spec: (random: Random) => OptimizerSpec;
  /** Those of both optimizers. `nonFinite` belongs to one alone, unless both need it. */
  readonly options: OptimizerOptions;
  /** The calls of one step, which is the `step`-th that is taken unless it `isBad`. */
  readonly calls: (random: Random, isBad: boolean, step: number) => readonly Call[];
}

/** Trainings with all that decides which steps are skipped. @param rules those that are tested, of which one is used where any will do */
export function skippedStepTrainings(rules: readonly Rule[]): readonly Training[] {
  const keeping = rules.filter(
    (rule) => Object.keys(variantOf(rule.specify({})).persistentScalars).length > 0,
  );
  const anyRule = (random: Random): OptimizerSpec => {
    const simple = elementwise(rules);
    return randomSpec(random.pick(simple.length === 0 ? rules : simple), random);
  };
  const needs = elementwise(rules).length === 0 ? rules.flatMap(needsOf) : [];
  const warmedUp =
    (rule: Rule) =>
    (random: Random): OptimizerSpec => ({
      ...randomSpec(rule, random),
      ...(Object.hasOwn(rule.hyperparameters, "learningRate") && {
        hyperparameters: { ...rule.specify({}).hyperparameters, learningRate: warmup(5, 0.1) },
      }),
    });
  return [
    ...keeping.map((rule): Training => ({
      name: `of ${rule.name}, which keeps scalars, in groups that are updated every few steps,`,
      needs: needsOf(rule),
      spec: warmedUp(rule),
      options: { groups: [{ match: "b", every: 3 }] },
      calls: callsWithoutEvery,
    })),
    ...keeping.map((rule): Training => ({
      name: `of ${rule.name}, which keeps scalars,`,
      needs: needsOf(rule),
      spec: warmedUp(rule),
      // The other rule shares the steps.
      options: { groups: [{ match: "b", rule: nadam() }] },
      calls: denseCalls,
    })),
    {
      name: "with groups that are updated every few steps",
      needs,
      spec: anyRule,
      options: {
        groups: [
          { match: "b", every: 3 },
          { match: "s", every: 2 },
        ],
      },
      calls: (random, isBad, step) => {
        const gradients = dense(random);
        if (isBad) spoil(gradients.w, random);
        // Where its group takes no part, a gradient may be anything.
        else if (step % 3 !== 0) gradients.b[1] = Number.NaN;
        return [{ gradients }];
      },
    },
    {
      name: "of several calls, with groups that are updated every few steps,",
      needs,
      spec: anyRule,
      options: { accumulate: 2, groups: [{ match: "b", every: 2 }] },
      calls: (random, isBad, step) => {
        const bad = random.integer(0, 1);
        return [0, 1].map((call) => {
          const gradients = dense(random);
          if (isBad && call === bad) spoil(gradients.w, random);
          else if (!isBad && step % 2 !== 0) gradients.b[1] = Number.NaN;
          return { gradients };
        });
      },
    },
    {
      name: "with lazy sparse gradients",
      needs: [...needs, "rows"],
      spec: anyRule,
      options: { sparse: "lazy" },
      calls: (random, isBad) => {
        const indices = Uint32Array.of(random.integer(0, 3), random.integer(0, 3));
        const values = randomValues(6, random);
        if (isBad) spoil(values, random);
        return [{ gradients: { w: { indices, values }, b: randomValues(3, random) } }];
      },
    },
    ...[{}, { lossScale: 8 }].map((options): Training => ({
      name: `with rows that count their own steps${"lossScale" in options ? ", and a loss scale" : ""}`,
      needs: ["rows", "rowSteps"],
      spec: (random) => adamw({ learningRate: random.pick([0.1, warmup(5, 0.1)]) }),
      options: { ...options, sparse: "lazy", rowSteps: true },
      calls: (random, isBad) => {
        const indices = Uint32Array.of(random.integer(0, 3), random.integer(0, 3));
        const values = randomValues(6, random);
        if (isBad) spoil(values, random);
        return [{ gradients: { w: { indices, values }, b: randomValues(3, random) } }];
      },
    })),
    {
      name: "with masks that select one row or none",
      needs: [...needs, "rows"],
      spec: anyRule,
      options: {},
      calls: (random, isBad, step) => {
        const rows = new Uint32Array(4);
        const selected = random.integer(0, 3);
        rows[selected] = isBad || step % 2 === 0 ? 1 : 0;
        const w = randomValues(12, random);
        // Where the mask leaves a row out, a gradient may be anything.
        w[3 * (isBad ? selected : (selected + 1) % 4)] = Number.NaN;
        return [{ gradients: { w }, options: { rows } }];
      },
    },
    {
      name: "of several calls with masks",
      needs: [...needs, "rows"],
      spec: anyRule,
      options: { accumulate: 3 },
      calls: (random, isBad) => {
        const bad = isBad ? random.integer(0, 2) : -1;
        return [0, 1, 2].map((call) => {
          const gradients = dense(random);
          const rows = Uint32Array.from({ length: 4 }, () => random.integer(0, 1));
          if (call === bad) {
            const row = random.integer(0, 3);
            rows[row] = 1;
            gradients.w[3 * row] = Number.NaN;
          }
          return { gradients, options: { rows: { w: rows } } };
        });
      },
    },
    {
      name: "with a loss scale",
      needs,
      spec: () => nadam({ learningRate: warmup(5, 0.1) }),
      options: { lossScale: 8, groups: [{ match: "b", every: 2 }] },
      calls: callsWithoutEvery,
    },
    {
      name: "with a loss scale, and a gradient that they alone have,",
      needs,
      spec: anyRule,
      options: { lossScale: 8, groups: [{ match: "b", every: 2 }] },
      calls: (random, isBad) => {
        const { b, ...gradients } = dense(random);
        if (isBad) spoil(gradients.w, random);
        return [{ gradients: isBad ? { b, ...gradients } : gradients }];
      },
    },
  ];
}

function randomSpec(rule: Rule, random: Random): OptimizerSpec {
  return rule.specify(randomSettings(rule, random.integer(0, choiceCount(rule) - 1), random));
}

function randomValues(size: number, random: Random): Float32Array {
  return Float32Array.from({ length: size }, () => random.between(-1, 1));
}

/** Gradients of all parameters. */
export function dense(random: Random): { w: Float32Array; b: Float32Array; s: Float32Array } {
  const of = (name: keyof typeof sizes): Float32Array => randomValues(sizes[name], random);
  return { w: of("w"), b: of("b"), s: of("s") };
}

function spoil(values: Float32Array, random: Random): void {
  const value = random.pick([Number.NaN, Infinity, -Infinity]);
  values[random.integer(0, values.length - 1)] = value;
}

export function denseCalls(random: Random, isBad: boolean, _step?: number): readonly Call[] {
  const gradients = dense(random);
  if (isBad) spoil(random.pick([gradients.w, gradients.b, gradients.s]), random);
  return [{ gradients }];
}

/** What is not finite is in a group that each step updates. */
function callsWithoutEvery(random: Random, isBad: boolean, _step?: number): readonly Call[] {
  const gradients = dense(random);
  if (isBad) spoil(gradients.w, random);
  return [{ gradients }];
}
