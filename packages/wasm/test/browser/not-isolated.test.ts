import { adam, createOptimizer } from "@gradstep/core";
import { expect, test } from "vitest";
import { wasm } from "../../src/index.js";

test("a page that is not cross-origin isolated: one thread, and one diagnostic", async () => {
  expect(crossOriginIsolated).toBe(false);
  const backend = wasm({ threads: 4 });
  expect(backend.diagnostics).toEqual([expect.stringContaining("cross-origin isolated")]);
  const w = backend.tensor([300_000]);
  createOptimizer(adam(), { w }).step({ w: new Float32Array(300_000).fill(1) });
  expect((await w.read())[299_999]).toBeCloseTo(-1e-3);
});
