import * as tf from "@tensorflow/tfjs-core";
import { hyperparameters } from "../adam.js";
import { gradientKinds } from "../data.js";
import type { Contender } from "./contender.js";
import { startTfjs, tfjsGradients } from "./tfjs-backend.js";

interface TfjsOptions {
  /** Registers the backend, if importing it is not enough. */
  readonly prepare?: () => Promise<unknown>;
  /** Replaces TF.js's own Adam. */
  readonly optimizer?: () => tf.Optimizer;
}

/** The part of TF.js's webgpu backend that has recorded commands and not yet submitted them. */
interface CommandRecorder {
  readonly queue: GPUQueue;
  readonly commandEncoder: unknown;
  endComputePassEncoder(): void;
  submitQueue(): void;
}

async function waitForQueue(): Promise<void> {
  const backend = tf.backend() as unknown as CommandRecorder;
  backend.endComputePassEncoder();
  if (backend.commandEncoder !== null) backend.submitQueue();
  await backend.queue.onSubmittedWorkDone();
}

/** TF.js's own Adam on one of its backends. */
export function tfjsContender(
  name: string,
  description: string,
  backend: string,
  { prepare, optimizer: createOptimizer }: TfjsOptions = {},
): Contender {
  return {
    name,
    description,
    start: async ({ workload, gradients, parameters }) => {
      await prepare?.();
      const activate = await startTfjs(backend);
      const variables = parameters().map((values, i) =>
        tf.tidy(() =>
          tf.tensor(values, [...workload.shapes[i]]).variable(true, `${name}/tensor${i}`),
        ),
      );
      const kinds = tfjsGradients(gradients, workload.shapes).map((kind) =>
        kind.map((tensor, i) => ({ name: variables[i].name, tensor })),
      );
      const { learningRate, beta1, beta2, epsilon } = hyperparameters;
      const before = tf.memory().numBytes;
      const optimizer = createOptimizer?.() ?? tf.train.adam(learningRate, beta1, beta2, epsilon);
      let steps = 0;
      let held: number | undefined;
      return {
        activate,
        ...(backend === "webgpu" ? { waitUntilDone: waitForQueue } : {}),
        step: () => {
          optimizer.applyGradients(kinds[steps % gradientKinds]);
          steps += 1;
          held ??= tf.memory().numBytes - before;
        },
        read: () => Promise.all(variables.map((variable) => variable.data())),
        stateBytes: async () => {
          if (createOptimizer === undefined) return held ?? 0;
          // `tf.memory()` does not count gradstep's state. The first weight is the number of steps.
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
