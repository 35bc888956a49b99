import { createOptimizer } from "@gradstep/core";
import * as core from "@gradstep/core/lean";
import { reference } from "@gradstep/core/reference";
import { rules } from "@gradstep/core/rules";
import { describe, expect, test } from "vitest";
import * as lean from "../src/lean/index.js";
import { firstDifference } from "./bits.js";

type LeanRule = core.LeanRule<string, Readonly<Record<string, unknown>>>;

const leanRules: Readonly<Record<string, unknown>> = core;
const leanKernels: Readonly<Record<string, unknown>> = lean;
const subjects = rules.flatMap((rule) => {
  const compiled = leanRules[rule.name] as LeanRule;
  const kernels = leanKernels[`${rule.name}Kernels`] as () => WebAssembly.Module;
  return compiled.rule.variants.map((variant) => {
    const settings: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(variant.choices))
      settings[key] = compiled.rule.switches.includes(key) ? 0.9 : value;
    return { name: rule.name, settings, rule, compiled, kernels };
  });
});

const lengths = [1, 4, 15, 16, 17, 100, 257];

/** Every compiled variant of every rule, beside the whole optimizer on the reference. */
export function leanEquality(): void {
  describe("lean", () => {
    test.each(subjects)(
      "$name $settings gives the reference's bits over the steps that rest",
      async ({ settings, rule, compiled, kernels }) => {
        const firsts = lengths.map((length) =>
          Float32Array.from({ length }, (_, i) => Math.sin(i)),
        );
        const named = <T>(values: readonly T[]): Record<string, T> =>
          Object.fromEntries(values.map((value, i) => [`w${i}`, value]));
        const backend = lean.createWasm(kernels());
        const own = named(firsts.map((values) => backend.tensor([values.length], values)));
        const other = reference();
        const theirs = named(firsts.map((values) => other.tensor([values.length], values)));
        const optimizers = [
          core.createOptimizer(compiled({ ...settings, learningRate: 0.01 }), own),
          createOptimizer(rule.specify({ ...settings, learningRate: 0.01 }), theirs),
        ] as const;
        for (let t = 0; t < 130; t += 1) {
          const gradients = named(
            lengths.map((length, k) =>
              // Some stay without a gradient, and some gradients are 0 from the 20th step on: their means come to rest.
              Float32Array.from({ length }, (_, i) =>
                t > 20 && k % 2 === 0 ? 0 : 1e-3 * Math.cos(i * t + k),
              ),
            ),
          );
          if (t % 5 === 3) delete gradients[`w${t % 7}`];
          for (const optimizer of optimizers) {
            if (t === 30) (optimizer as unknown as { weightDecay: number }).weightDecay = 0.1;
            optimizer.step(gradients);
          }
        }
        for (const name of Object.keys(own))
          expect(
            firstDifference(await own[name].read(), (await theirs[name].read()) as Float32Array),
          ).toBe(-1);
        expect(await optimizers[0].state()).toEqual(await optimizers[1].state());
      },
    );
  });
}
