import { nodeGpu, webgpu } from "@gradstep/webgpu/node";
import { expect, test } from "vitest";
import { difference, runBoth } from "../src/compare.js";
import { linesOf } from "../src/lines.js";

/** Why there is no GPU here, or undefined. */
const missing = await nodeGpu().then(
  () => undefined,
  (error: unknown) => String(error),
);
if (missing !== undefined) console.warn(`Skipped: ${missing}`);
// Where tests have to run, a machine without WebGPU is a failure and no skip.
const mustRun = process.env.CI !== undefined && process.platform === "linux";

test.skipIf(missing !== undefined && !mustRun)(
  "with gradstep and by hand: the same values, and as few dispatches as the README says",
  async () => {
    const backend = await webgpu();
    const { withGradstep, byHand } = await runBoth(backend, {
      rows: 3000,
      steps: 40,
      densifyEvery: 10,
    });
    expect(withGradstep.rows).toBe(byHand.rows);
    expect(difference(withGradstep, byHand)).toBeLessThan(1e-5);
    // What the renderer sees: f16 of values that differ by a few units of f32, and so rarely by one of their own.
    const unlike = withGradstep.copies.filter((bits, i) => bits !== byHand.copies[i]);
    expect(unlike.length / withGradstep.copies.length).toBeLessThan(0.001);
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
    expect(linesOf("with-gradstep.ts")).toBeLessThan(100);
    backend.dispose();
  },
);
