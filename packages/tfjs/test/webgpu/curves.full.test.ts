import "@tensorflow/tfjs-backend-webgpu";
import { fromTfjs } from "@gradstep/core/interop";
import { tfOptimizer } from "../../src/index.js";
import { beforeAll, expect, test } from "vitest";
import { cases } from "../cases.js";
import { tf } from "../support.js";
import { describe } from "./describe.js";
import { pathOf } from "./walk.js";

beforeAll(async () => {
  await tf.setBackend("webgpu");
});

/** The last of each kind has the most settings. */
const kinds = new Map(cases.map((one) => [one[0], one]));

describe("200 steps with the numbers of TF.js's own optimizers, webgpu", () => {
  test.each([...kinds.values()])("%s %j", async (name, settings, theirs) => {
    const expected = await pathOf(theirs());
    const got = await pathOf(tfOptimizer(fromTfjs(name, settings)));
    expect(got).toHaveLength(4);
    got.forEach((values, i) => {
      expect(Math.abs(values[0])).toBeGreaterThan(0);
      const worst = Math.max(...values.map((value, j) => Math.abs(value - expected[i][j])));
      expect(worst).toBeLessThan(1e-5);
    });
  });
});
