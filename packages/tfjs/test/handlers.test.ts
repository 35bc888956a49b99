import { afterEach, beforeEach, expect, test } from "vitest";
import { fromTfjs } from "@gradstep/core/interop";
import { adam, GradstepOptimizer, tfjsFormat, tfOptimizer } from "../src/index.js";
import { fit, layers, numbers, tf, weightsOf } from "./support.js";

beforeEach(async () => {
  await tf.setBackend("cpu");
});
afterEach(() => {
  tf.disposeVariables();
});

const data = (): { x: tf.Tensor; y: tf.Tensor } => ({
  x: tf.tensor(numbers(16 * 3, 1), [16, 3]),
  y: tf.tensor(numbers(16, 2), [16, 1]),
});

function compiled(optimizer: tf.Optimizer): layers.Sequential {
  const kernelInitializer = layers.initializers.glorotUniform({ seed: 5 });
  const model = layers.sequential({
    layers: [layers.layers.dense({ units: 1, inputShape: [3], kernelInitializer })],
  });
  model.compile({ optimizer, loss: "meanSquaredError" });
  return model;
}

/** A server that keeps what was posted, and serves it. */
function server(): typeof fetch {
  const files = new Map<string, Blob>();
  return async (input, init) => {
    const path = new URL(input as string).pathname.slice(1);
    if (init?.method === "POST") {
      const form = init.body as FormData;
      for (const [name, file] of form.entries()) files.set(name, file as Blob);
      return new Response("");
    }
    const file = files.get(path);
    return file === undefined ? new Response("", { status: 404 }) : new Response(file);
  };
}

test.each([
  ["gradstep's form", (handler: tf.io.IOHandler) => handler, () => adam({ learningRate: 0.02 })],
  ["TF.js's form", tfjsFormat, () => tfOptimizer(fromTfjs("adam"))],
])("through HTTP, a model goes on bit for bit: %s", async (_, format, make) => {
  const whole = compiled(make());
  await fit(whole, data(), 4);
  const first = compiled(make());
  await fit(first, data(), 2);
  const fetchFunc = server();
  await first.save(format(tf.io.http("http://host/upload", { fetchFunc })), {
    includeOptimizer: true,
  });
  const second = await layers.loadLayersModel(
    format(tf.io.http("http://host/model.json", { fetchFunc })),
  );
  expect(second.optimizer).toBeInstanceOf(GradstepOptimizer);
  expect(second.optimizer.iterations).toBe(4);
  await fit(second, data(), 2);
  expect(weightsOf(second)).toEqual(weightsOf(whole));
});
