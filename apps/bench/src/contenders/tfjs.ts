import * as tf from "@tensorflow/tfjs-core";
import { hyperparameters } from "../adam.js";
import { gradientKinds } from "../data.js";
import type { Contender } from "./contender.js";

/** What a contender on TF.js may have besides a name and a backend. */
interface Special {
  /** Registers the backend, where importing it is not enough. */
  readonly prepare?: () => Promise<unknown>;
  /** In place of TF.js's own Adam. */
  readonly optimizer?: () => tf.Optimizer;
}

/** What TF.js's webgpu backend has recorded and not yet submitted. */
interface Recording {
  readonly queue: GPUQueue;
  readonly commandEncoder: unknown;
  endComputePassEncoder(): void;
  submitQueue(): void;
}

async function settle(): Promise<void> {
  const backend = tf.backend() as unknown as Recording;
  backend.endComputePassEncoder();
  if (backend.commandEncoder !== null) backend.submitQueue();
  await backend.queue.onSubmittedWorkDone();
}

/** TF.js's own Adam on one of its backends. */
export function tfjsContender(
  name: string,
  description: string,
  backend: string,
  { prepare, optimizer: special }: Special = {},
): Contender {
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
      await prepare?.();
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
      const optimizer = special?.() ?? tf.train.adam(learningRate, beta1, beta2, epsilon);
      let steps = 0;
      let held: number | undefined;
      return {
        enter,
        ...(backend === "webgpu" ? { settle } : {}),
        step: () => {
          optimizer.applyGradients(kinds[steps % gradientKinds]);
          steps += 1;
          held ??= tf.memory().numBytes - before;
        },
        read: () => Promise.all(variables.map((variable) => variable.data())),
        stateBytes: async () => {
          if (special === undefined) return held ?? 0;
          // TF.js does not know of this one's state. The first weight is the number of steps.
          const [, ...state] = await optimizer.getWeights();
          return state.reduce((sum, { tensor }) => sum + 4 * tensor.size, 0);
        },
        dispose: () => {
          optimizer.dispose();
          tf.dispose([variables, kinds.map((kind) => kind.map(({ tensor }) => tensor))]);
        },
      };
    },
  };
}
