import { readFileSync } from "node:fs";
import {
  adam,
  chain,
  clipByGlobalNorm,
  createOptimizer,
  decayRate,
  defineRule,
  ema,
  nonNegative,
  variantOf,
} from "@gradstep/core";
import { rules } from "@gradstep/core/rules";
import type adamModule from "@gradstep/wasm/rules/adam.wasm";
import { expect, expectTypeOf, test, vi } from "vitest";
import { sampled } from "../../../testing/cases.js";
import { ruleNames } from "../../../testing/rule-names.js";
import { kernelModule, wasm } from "../src/index.js";

const builtIn = (name: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(readFileSync(new URL(`../dist/rules/${name}.wasm`, import.meta.url)));

const signum = defineRule({
  name: "signum",
  hyperparameters: { learningRate: nonNegative(1e-3), beta: decayRate(0.9) },
  slots: { m: 0 },
  perStep: "c = 1 - beta",
  perElement: `
    m = m + (g - m) * c
    p = p - sign(m) * learningRate
  `,
});

test("the package has the module of every built-in rule, as kernelModule compiles it", () => {
  for (const rule of rules)
    expect(Buffer.compare(builtIn(rule.name), kernelModule(rule.variants()))).toBe(0);
});

test("an import of a rule's file is a module", () => {
  expectTypeOf<typeof adamModule>().toEqualTypeOf<WebAssembly.Module>();
});

test("kernelModule takes what defineRule returned, its rule, or its variants", () => {
  const bytes = kernelModule(signum);
  expect(bytes.length).toBeGreaterThan(1000);
  for (const source of [signum.rule, signum.variants()])
    expect(kernelModule(source)).toEqual(bytes);
});

test.each([
  ["a chain", () => chain(clipByGlobalNorm(1), adam({ learningRate: 0.5 }), ema(0.9))],
  ["adam with amsgrad", () => adam({ learningRate: 0.5, amsgrad: true })],
])("kernelModule of %s has the one variant that it selects", async (_, spec) => {
  const bytes = kernelModule(spec());
  expect(bytes).toEqual(kernelModule([variantOf(spec())]));
  expect(bytes.length).toBeLessThan(kernelModule(spec().rule).length / 4);

  const backend = wasm({ modules: [new WebAssembly.Module(bytes)] });
  const compile = vi.spyOn(WebAssembly, "Module");
  const w = backend.tensor([2], [1, 2]);
  createOptimizer(spec(), { w }).step({ w: Float32Array.of(0.3, -0.4) });
  expect(compile).not.toHaveBeenCalled();
  compile.mockRestore();
  expect((await w.read())[0]).toBeCloseTo(0.5, 4);
});

test("kernelModule's module of a rule of one's own is used by wasm({ modules })", async () => {
  const backend = wasm({ modules: [new WebAssembly.Module(kernelModule(signum))] });
  const compile = vi.spyOn(WebAssembly, "Module");
  const w = backend.tensor([3], [1, 2, 3]);
  createOptimizer(signum({ learningRate: 0.5 }), { w }).step({ w: Float32Array.of(1, -1, 0) });
  expect(compile).not.toHaveBeenCalled();
  compile.mockRestore();
  expect([...(await w.read())]).toEqual([0.5, 2.5, 3]);
});

test.each(sampled(ruleNames, 12))(
  "a rule named %s is compiled, also ahead of time",
  async (name) => {
    const own = defineRule({
      name,
      hyperparameters: { learningRate: nonNegative(0.5) },
      slots: { m: 0 },
      perElement: "m = m + g\np = p - m * learningRate",
    });
    const modules = [new WebAssembly.Module(kernelModule(own))];
    for (const backend of [wasm(), wasm({ modules })]) {
      const w = backend.tensor([3], [1, 2, 3]);
      const optimizer = createOptimizer(own(), { w });
      optimizer.step({ w: Float32Array.of(1, -1, 0) });
      optimizer.step({ w: Float32Array.of(1, -1, 0) });
      expect([...(await w.read())]).toEqual([-0.5, 3.5, 3]);
      backend.dispose();
    }
  },
);

test.each([
  undefined,
  null,
  5,
  "adam",
  {},
  { rule: null },
  { rule: null, groups: [] },
  { rule: { name: "adam" }, groups: [] },
  [undefined],
  [adam],
  [adam.rule.variant(), adam],
  () => adam,
  [{ perElement: adam.rule.variant().perElement }],
  { variants: 5 },
  adam.rule.variant(),
])("kernelModule(%j) is refused", (source) => {
  expect(() => kernelModule(source as never)).toThrow(
    expect.objectContaining({
      code: "INVALID_RULE",
      message: expect.stringContaining("expected a rule") as string,
    }),
  );
});

test("a precompiled module is used, and nothing is compiled", async () => {
  const modules = [new WebAssembly.Module(builtIn("adam"))];
  const compile = vi.spyOn(WebAssembly, "Module").mockImplementation(function () {
    throw new WebAssembly.CompileError("Wasm code generation disallowed by embedder");
  });
  const backend = wasm({ modules });
  const w = backend.tensor([5], [1, 2, 3, 4, 5]);
  createOptimizer(adam({ learningRate: 1, amsgrad: true }), { w }).step({
    w: new Float32Array(5).fill(1),
  });
  expect((await w.read())[4]).toBeCloseTo(4);
  expect(() => createOptimizer(signum(), { w })).toThrow(
    expect.objectContaining({
      code: "UNSUPPORTED",
      message: expect.stringContaining("rules/signum.wasm") as string,
    }),
  );
  compile.mockRestore();
});

test("precompiled modules run on one thread, and diagnostics say so", async () => {
  const backend = wasm({ threads: 2, modules: [new WebAssembly.Module(builtIn("lion"))] });
  expect(backend.diagnostics).toEqual([expect.stringContaining("One thread instead of 2")]);
  await backend.ready();
  expect(backend.diagnostics.length).toBe(1);
});

test("a module that is not one of kernels for the backend's memory is refused", () => {
  const empty = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
  const importing = [1, 4, 1, 0x60, 0, 0, 2, 7, 1, 1, 101, 1, 102, 0, 0];
  for (const bytes of [
    Uint8Array.from([...empty, ...importing]),
    kernelModule(adam, { shared: true }),
  ]) {
    expect(() => wasm({ modules: [new WebAssembly.Module(bytes)] })).toThrow(
      expect.objectContaining({
        code: "INVALID_HYPERPARAMETER",
        message: expect.stringContaining("cannot be instantiated") as string,
      }),
    );
  }
});

test.each([[null], [{ share: true }], [5]])("options %j of kernelModule are refused", (options) => {
  expect(() => kernelModule(adam, options as never)).toThrow(
    expect.objectContaining({ code: "UNKNOWN_OPTION" }),
  );
});
