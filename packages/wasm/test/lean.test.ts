import { createOptimizer, sgd, type Backend } from "@gradstep/core";
import * as rules from "@gradstep/core/lean";
import { reference } from "@gradstep/core/reference";
import { describe, expect, test } from "vitest";
import * as lean from "../src/lean.js";
import { firstDifference } from "./bits.js";

const kernels = new Map(
  Object.entries(lean).flatMap(([name, value]) =>
    name.endsWith("Kernels") ? [[name, value as () => WebAssembly.Module] as const] : [],
  ),
);
const subjects = Object.entries(rules).map(([name, { rule }]) => ({
  name,
  rule,
  make: () => lean.createWasm({ modules: [kernels.get(`${name}Kernels`)!()] }),
}));

function codeOf(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
  return undefined;
}

describe.each(subjects)("$name", ({ rule, make }) => {
  const variants = rule.variants();

  test.each(variants.map(({ label, slots }) => ({ label, on: slots.length })))(
    "$label gives the reference's bits over the steps that rest",
    async ({ on }) => {
      const momentum =
        variants.length > 1 && on === Math.max(...variants.map((v) => v.slots.length));
      const train = async (backend: Backend): Promise<Float32Array> => {
        const w = backend.tensor(
          [37],
          Float32Array.from({ length: 37 }, (_, i) => Math.sin(i)),
        );
        const settings = {
          learningRate: 0.01,
          weightDecay: 0.1,
          ...(momentum && { momentum: 0.9 }),
        };
        const optimizer = createOptimizer(rule.specify(settings), { w });
        for (let t = 0; t < 70; t += 1) {
          if (t === 30) optimizer.weightDecay = 0;
          optimizer.step({ w: Float32Array.from({ length: 37 }, (_, i) => Math.cos(i * t)) });
        }
        return (await w.read()) as Float32Array;
      };
      expect(firstDifference(await train(make()), await train(reference()))).toBe(-1);
    },
  );
});

test("a rule that no module has is refused, with the way to it", () => {
  const backend = lean.createWasm({ modules: [lean.adamKernels()] });
  const w = backend.tensor([1]);
  expect(() => createOptimizer(sgd(), { w })).toThrow("wasm() of @gradstep/wasm");
  expect(codeOf(() => createOptimizer(sgd(), { w }))).toBe("UNSUPPORTED");
});

test.each([
  [{ modules: [], threads: 2 }, "UNKNOWN_OPTION"],
  [{}, "INVALID_HYPERPARAMETER"],
  [{ modules: ["adam"] }, "INVALID_HYPERPARAMETER"],
  [{ modules: [], memoryLimit: 10 }, "INVALID_HYPERPARAMETER"],
])("options %j are refused with %s", (options, code) => {
  expect(codeOf(() => lean.createWasm(options as never))).toBe(code);
});

test("after dispose nothing runs", () => {
  const backend = lean.createWasm({ modules: [lean.adamKernels()] });
  const w = backend.tensor([1]);
  const optimizer = createOptimizer(rules.adam(), { w });
  backend.dispose();
  expect(codeOf(() => optimizer.step({ w: Float32Array.of(1) }))).toBe("DISPOSED");
});
