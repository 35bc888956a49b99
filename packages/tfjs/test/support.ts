import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import { GradstepError, type ErrorCode } from "@gradstep/core";
import { expect } from "vitest";

// Silences TF.js's advice.
tf.enableProdMode();

/** TF.js's backends in Node that gradstep updates in place. */
export const backends = ["cpu", "wasm"] as const;

/** Numbers in [−1, 1) that depend on the seed only. */
export function numbers(length: number, seed: number): Float32Array {
  let state = seed * 2654435761;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** A variable whose storage no other tensor shares. */
export function variable(values: ArrayLike<number>, shape: number[], name?: string): tf.Variable {
  return tf.tidy(() => tf.variable(tf.tensor(Float32Array.from(values), shape), true, name));
}

/** A small classifier, the same for the same seed. */
export function classifier(seed = 1): layers.Sequential {
  const model = layers.sequential();
  const initializer = (i: number): ReturnType<typeof layers.initializers.glorotUniform> =>
    layers.initializers.glorotUniform({ seed: 10 * seed + i });
  model.add(
    layers.layers.dense({
      units: 12,
      inputShape: [8],
      activation: "tanh",
      kernelInitializer: initializer(1),
    }),
  );
  model.add(
    layers.layers.dense({ units: 3, activation: "softmax", kernelInitializer: initializer(2) }),
  );
  return model;
}

/** Samples and labels for `classifier`. */
export function samples(count = 64): { x: tf.Tensor2D; y: tf.Tensor2D } {
  const x = numbers(count * 8, 7);
  const y = new Float32Array(count * 3);
  for (let i = 0; i < count; i += 1) {
    const label = x[8 * i] > 0.3 ? 0 : x[8 * i + 1] > 0 ? 1 : 2;
    y[3 * i + label] = 1;
  }
  return { x: tf.tensor2d(x, [count, 8]), y: tf.tensor2d(y, [count, 3]) };
}

/** Trains with batches of 8 in order; returns the loss of each step. */
export async function fit(
  model: layers.LayersModel,
  { x, y }: { x: tf.Tensor; y: tf.Tensor },
  epochs: number,
): Promise<number[]> {
  const losses: number[] = [];
  await model.fit(x, y, {
    epochs,
    batchSize: 8,
    shuffle: false,
    yieldEvery: "never",
    verbose: 0,
    callbacks: {
      onBatchEnd: async (_, logs) => {
        losses.push(logs!["loss"]);
      },
    },
  });
  return losses;
}

/** All weights of a model, copied. */
export function weightsOf(model: layers.LayersModel): number[][] {
  return model.getWeights().map((weight) => Array.from(weight.dataSync()));
}

/** The code of the GradstepError that `act` throws. */
export async function codeOf(act: () => unknown): Promise<ErrorCode> {
  try {
    await act();
  } catch (error) {
    expect(error).toBeInstanceOf(GradstepError);
    return (error as GradstepError).code;
  }
  throw new Error("expected a GradstepError; nothing was thrown");
}

/** A saved model, in memory. */
export async function artifactsOf(model: layers.LayersModel): Promise<tf.io.ModelArtifacts> {
  let kept: tf.io.ModelArtifacts | undefined;
  await model.save(
    tf.io.withSaveHandler(async (artifacts) => {
      kept = artifacts;
      return { modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts) };
    }),
    { includeOptimizer: true },
  );
  return kept!;
}

export { layers, tf };
