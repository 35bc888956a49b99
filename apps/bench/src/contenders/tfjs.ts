import * as tf from "@tensorflow/tfjs-core";
import { hyperparameters } from "../adam.js";
import { gradientKinds } from "../data.js";
import type { Contender } from "./contender.js";

/** TF.js's own Adam on one of its backends, which must be registered. */
export function tfjsContender(name: string, description: string, backend: string): Contender {
  const enter = async (): Promise<void> => {
    if (!(await tf.setBackend(backend))) {
      throw new Error(`TF.js could not start its ${backend} backend.`);
    }
  };
  return {
    name,
    description,
    start: async ({ workload, gradients, parameters }) => {
      // Keeps banners and hints off the terminal.
      tf.enableProdMode();
      await enter();
      const variables = parameters().map((values, i) =>
        tf.tidy(() =>
          tf.tensor(values, [...workload.shapes[i]]).variable(true, `${name}/tensor${i}`),
        ),
      );
      const kinds = gradients.map((kind) =>
        kind.map((values, i) => ({
          name: variables[i].name,
          // A copy, because TF.js would keep the array and all contenders read this one.
          tensor: tf.tensor(values.slice(), [...workload.shapes[i]]),
        })),
      );
      const { learningRate, beta1, beta2, epsilon } = hyperparameters;
      const before = tf.memory().numBytes;
      const optimizer = tf.train.adam(learningRate, beta1, beta2, epsilon);
      let steps = 0;
      let held: number | undefined;
      return {
        enter,
        step: () => {
          optimizer.applyGradients(kinds[steps % gradientKinds]);
          steps += 1;
          held ??= tf.memory().numBytes - before;
        },
        read: () => Promise.all(variables.map((variable) => variable.data())),
        stateBytes: async () => held ?? 0,
        dispose: () => {
          optimizer.dispose();
          tf.dispose([variables, kinds.map((kind) => kind.map(({ tensor }) => tensor))]);
        },
      };
    },
  };
}
