import "@tensorflow/tfjs-backend-webgpu";
import { fromTfjs } from "@gradstep/core/interop";
import { tfOptimizer } from "../../src/index.js";
import { expect, test } from "vitest";
import { tf } from "../support.js";
import { costsOf } from "../webgpu/walk.js";

test("200 steps of adam with the numbers of TF.js's own", async () => {
  await tf.setBackend("webgpu");
  const expected = await costsOf(tf.train.adam(0.002), 200);
  const got = await costsOf(tfOptimizer(fromTfjs("adam", { learningRate: 0.002 })), 200);
  expect(expected[199]).toBeLessThan(expected[0]);
  const worst = Math.max(...got.map((cost, i) => Math.abs(cost - expected[i])));
  expect(worst).toBeLessThan(1e-5);
});
