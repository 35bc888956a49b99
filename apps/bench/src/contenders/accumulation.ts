import "@tensorflow/tfjs-backend-wasm";
import { type Backend, createOptimizer, type Tensor } from "@gradstep/core";
import { wasm } from "@gradstep/wasm";
import * as tf from "@tensorflow/tfjs-core";
import { hyperparameters, rule } from "../adam.js";
import { expectedOf } from "../correctness.js";
import { type Data, gradientKinds } from "../data.js";
import type { Contender, Expected } from "./contender.js";
import { gradstepContender, inBackendMemory } from "./gradstep.js";
import { startTfjs, tfjsGradients } from "./tfjs-backend.js";

/** Batches per step. */
const batches = 4;

/** The kind of gradients of a batch. The means of two steps in a row differ. */
function kindOf(step: number, batch: number): number {
  return (step + (batch > 0 ? 1 : 0)) % gradientKinds;
}

/** Adam with the means of four gradients, which are computed here in f64. */
function expected(data: Data): Promise<Expected> {
  return expectedOf(rule, data, {
    gradientsOf: (step) =>
      data.gradients[0].map((first, tensor) =>
        first.map((_, i) => {
          let sum = 0;
          for (let batch = 0; batch < batches; batch += 1)
            sum += data.gradients[kindOf(step, batch)][tensor][i];
          return sum / batches;
        }),
      ),
  });
}

function nameOf(tensor: number): string {
  return `tensor${tensor}`;
}

/** gradstep in WebAssembly: four calls, of which the last is a step. */
const accumulated: Contender = {
  name: "accumulate 4",
  description: "four batches per step of Adam, gradstep in WebAssembly",
  expected,
  start: async ({ workload, gradients, parameters }) => {
    const backend: Backend & { dispose(): void } = wasm();
    const named = (values: readonly Float32Array[], pool: number): Record<string, Tensor> => {
      backend.reserve?.(
        values.map(({ length }) => length),
        pool,
      );
      return Object.fromEntries(
        values.map((array, i) => [nameOf(i), backend.tensor(workload.shapes[i], array, pool)]),
      );
    };
    const tensors = named(parameters(), 0);
    const kinds = gradients.map((kind) => named(kind, 1));
    const optimizer = createOptimizer(rule, tensors, { accumulate: batches });
    return {
      step: () => {
        const step = optimizer.iterations;
        for (let batch = 0; batch < batches; batch += 1) optimizer.step(kinds[kindOf(step, batch)]);
      },
      read: () => Promise.all(Object.values(tensors).map((tensor) => tensor.read())),
      stateBytes: async () => {
        const { slots } = await optimizer.state();
        const held = Object.values(slots).flatMap((slot) => Object.values(slot));
        const accumulators = Object.values(tensors).reduce((sum, { size }) => sum + 4 * size, 0);
        return held.reduce((sum, { byteLength }) => sum + byteLength, accumulators);
      },
      dispose: () => {
        optimizer.dispose();
        backend.dispose();
      },
    };
  },
};

/** Sums of gradients in operations of TF.js, and a step of its Adam. */
const tfjsOperations: Contender = {
  name: "tfjs-wasm ops",
  description: "the same as the first, in operations of TF.js in WebAssembly",
  expected,
  start: async ({ workload, gradients, parameters }) => {
    const activate = await startTfjs("wasm");
    const variables = parameters().map((values, i) =>
      tf.tidy(() => tf.tensor(values, [...workload.shapes[i]]).variable()),
    );
    const sums = variables.map((variable) => tf.tidy(() => tf.zerosLike(variable).variable()));
    const kinds = tfjsGradients(gradients, workload.shapes);
    const { learningRate, beta1, beta2, epsilon } = hyperparameters;
    const optimizer = tf.train.adam(learningRate, beta1, beta2, epsilon);
    let steps = 0;
    return {
      activate,
      step: () =>
        tf.tidy(() => {
          for (let batch = 0; batch < batches; batch += 1) {
            const kind = kinds[kindOf(steps, batch)];
            sums.forEach((sum, i) => sum.assign(batch === 0 ? kind[i] : tf.add(sum, kind[i])));
          }
          const means = variables.map(({ name }, i) => ({
            name,
            tensor: tf.div(sums[i], batches),
          }));
          optimizer.applyGradients(means);
          steps += 1;
        }),
      read: () => Promise.all(variables.map((variable) => variable.data())),
      stateBytes: () => Promise.resolve(variables.reduce((sum, { size }) => sum + 3 * 4 * size, 0)),
      dispose: () => {
        optimizer.dispose();
        tf.dispose([variables, sums, kinds]);
      },
    };
  },
};

/** Steps of four batches, against steps of one. */
export const accumulation: readonly Contender[] = [
  accumulated,
  gradstepContender("adam", "one batch per step, the same", () => inBackendMemory(wasm())),
  tfjsOperations,
];
