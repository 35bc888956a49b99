import { readFileSync } from "node:fs";
import { nodeGpu, webgpu } from "@gradstep/webgpu/node";
import { expect, test } from "vitest";
import { difference, runBoth } from "../src/compare.js";
import { lineCount } from "../src/line-count.js";

/** The reason why there is no WebGPU, or undefined. */
const missing = await nodeGpu().then(
  () => undefined,
  (error: unknown) => String(error),
);
if (missing !== undefined) console.warn(`Skipped: ${missing}`);
// In CI on Linux, a machine without WebGPU is a failure and not a skip.
const mustRun = process.env.CI !== undefined && process.platform === "linux";

test.skipIf(missing !== undefined && !mustRun)(
  "the two trainers agree, with as many dispatches as the README says",
  async () => {
    const backend = await webgpu();
    const { withGradstep, byHand } = await runBoth(backend, {
      rows: 3000,
      steps: 40,
      densifyEvery: 10,
    });
    expect(withGradstep.rows).toBe(byHand.rows);
    expect(difference(withGradstep, byHand)).toBeLessThan(1e-5);
    // The renderer's f16 values: the f32 values differ by a few units in the last place, so these rarely differ.
    const unlike = withGradstep.mirror.filter((bits, i) => bits !== byHand.mirror[i]);
    expect(unlike.length / withGradstep.mirror.length).toBeLessThan(0.001);
    expect([...withGradstep.stepDispatches]).toEqual([
      [1, 38],
      [2, 2],
    ]);
    expect([...byHand.stepDispatches]).toEqual([
      [4, 38],
      [5, 2],
    ]);
    expect([...withGradstep.remapDispatches]).toEqual([8]);
    expect([...byHand.remapDispatches]).toEqual([20]);
    backend.dispose();
  },
);

test("the README has the current numbers of lines", () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const [, withGradstep, byHand] = /lines of code +(\d+) +(\d+)/.exec(readme)!.map(Number);
  expect([withGradstep, byHand]).toEqual([
    lineCount("with-gradstep.ts"),
    lineCount("by-hand/by-hand.ts") + lineCount("by-hand/shaders.ts"),
  ]);
});
