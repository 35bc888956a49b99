import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { sgd } from "../src/index.js";
import { expect, test } from "vitest";

// Before TF.js has started a backend.
const hadBackend = Object.keys(tf.engine().registry).length > 0;
const optimizer = sgd({ learningRate: 1 });

test("an optimizer that is created before TF.js starts its backend: what was read keeps its values", () => {
  expect(hadBackend).toBe(false);
  const v = tf.tidy(() => tf.variable(tf.tensor([1, 2]), true, "v"));
  for (const expected of [
    [1, 2],
    [0, 1],
    [-1, 0],
  ]) {
    const before = v.dataSync();
    optimizer.applyGradients({ v: tf.ones([2]) });
    expect([...before]).toEqual(expected);
  }
  expect([...v.dataSync()]).toEqual([-2, -1]);
});
