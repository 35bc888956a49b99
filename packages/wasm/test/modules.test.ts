import { readFileSync } from "node:fs";
import { adam, createOptimizer, sgd } from "@gradstep/core";
import { rules } from "@gradstep/core/rules";
import type adamModule from "@gradstep/wasm/rules/adam.wasm";
import { expect, expectTypeOf, test, vi } from "vitest";
import { isSupported, kernelModule, wasm } from "../src/index.js";

const builtIn = (name: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(readFileSync(new URL(`../dist/rules/${name}.wasm`, import.meta.url)));

test("every built-in rule is in the package, as it would be compiled now", () => {
  for (const rule of rules)
    expect(Buffer.compare(builtIn(rule.name), kernelModule(rule.variants()))).toBe(0);
});

test("the file of a rule is a module to those who import it", () => {
  expectTypeOf<typeof adamModule>().toEqualTypeOf<WebAssembly.Module>();
});

test("a module that was compiled before is used, and nothing is compiled", async () => {
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
  expect(() => createOptimizer(sgd(), { w })).toThrow(
    expect.objectContaining({
      code: "UNSUPPORTED",
      message: expect.stringContaining("rules/sgd.wasm"),
    }),
  );
  expect(isSupported()).toBe(false);
  compile.mockRestore();
  expect(isSupported()).toBe(true);
});

test("modules run on one thread, which is said", () => {
  const backend = wasm({ threads: 2, modules: [new WebAssembly.Module(builtIn("lion"))] });
  expect(backend.diagnostics).toEqual([expect.stringContaining("One thread instead of 2")]);
});
