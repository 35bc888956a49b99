import {
  adafactor,
  adam,
  chain,
  clipByGlobalNorm,
  lamb,
  sgd,
  type HostArray,
  type OptimizerSpec,
  type WrappingBackend,
} from "@gradstep/core";
import { oracle, reference } from "@gradstep/core/reference";
import { describe, expect, test } from "vitest";
import { cases, seed } from "../../../testing/cases.js";
import { differencesOfLayout } from "../../../testing/random-layouts.js";
import { cpuJs } from "../src/index.js";

const rules: readonly (readonly [OptimizerSpec, readonly string[]])[] = [
  [adam({ learningRate: 0.01 }), ["m", "v"]],
  [sgd({ learningRate: 0.1 }), []],
  [lamb({ learningRate: 0.01 }), ["m", "v"]],
  [adafactor(), []],
  [chain(clipByGlobalNorm({ globalClipNorm: 1 }), adam({ learningRate: 0.01 })), ["m", "v"]],
];

const backends: readonly (readonly [string, () => WrappingBackend<HostArray>])[] = [
  ["reference", reference],
  ["oracle", oracle],
  ["cpu-js", () => cpuJs()],
  ["cpu-js exact", () => cpuJs({ exact: true })],
];

describe.each(backends)("%s", (_, make) => {
  test(`random layouts give what plain arrays give, and change nothing else (seed ${seed})`, async () => {
    const backend = make();
    for (let i = 0; i < cases(250, 25); i += 1) {
      const [spec, slots] = rules[i % rules.length];
      const found = await differencesOfLayout(backend, spec, slots, seed * 1000 + i);
      expect({ case: seed * 1000 + i, rule: spec.rule.name, found }).toMatchObject({ found: [] });
    }
  });
});
