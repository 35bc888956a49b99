import { nodeGpu } from "@gradstep/webgpu/node";
import { describe, expect, test } from "vitest";
import { slowTest } from "../../../testing/slow-test.js";
import { compare } from "../src/comparison.js";
import { lineCount } from "../src/line-count.js";
import { skipsGpu } from "./skips-gpu.js";

describe.skipIf(skipsGpu)("five kinds of parameters in rows of 16 floats", () => {
  slowTest(
    "200 steps and four resets give what the optimizer by hand gives, in one dispatch each",
    async () => {
      const { gpu } = await nodeGpu();
      const device = await (await gpu.requestAdapter())!.requestDevice();
      const { stepDispatches, resetDispatches, worst, withGradstep, byHand } = await compare(
        device,
        1001,
        200,
      );
      expect([stepDispatches, resetDispatches]).toEqual([1, 1]);
      expect(worst).toBeLessThan(1e-6);
      // Cleared, but for the padding.
      expect(withGradstep.gradients).toEqual(byHand.gradients);
      device.destroy();
    },
  );

  test("takes at most a third of the lines", () => {
    expect(lineCount("with-gradstep.ts")).toBeLessThanOrEqual(lineCount("by-hand.ts") / 3);
  });
});
