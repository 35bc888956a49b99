import { readFileSync } from "node:fs";
import { fromTfjs } from "@gradstep/core/interop";
import { tfOptimizer, type GradstepOptimizer } from "../src/index.js";
import { layers, tf, weightsOf } from "./support.js";

interface Fixture {
  readonly artifacts: tf.io.ModelArtifacts & { readonly weightData: string };
  readonly after10: Readonly<Record<string, readonly number[]>>;
}

/** Written by TF.js 4.22: see make-tfjs-models.mjs. */
const { x, y, models } = JSON.parse(
  readFileSync(new URL("fixtures/tfjs-models.json", import.meta.url), "utf8"),
) as { x: number[]; y: number[]; models: Record<string, Fixture> };

/** The names of the models that TF.js saved. */
export const modelNames = Object.keys(models);

/** The weights of a model after ten more steps of TF.js's own optimizer. */
export const weightsAfter10 = (name: string): Fixture["after10"] => models[name].after10;

export function fixture(name: string): tf.io.ModelArtifacts {
  const { artifacts } = models[name];
  const bytes = new Uint8Array(Buffer.from(artifacts.weightData, "base64"));
  return { ...artifacts, weightData: bytes.buffer };
}

export async function steps(model: layers.LayersModel, count: number): Promise<void> {
  await model.fit(tf.tensor(x, [8, 4]), tf.tensor(y, [8, 1]), {
    batchSize: 8,
    epochs: count,
    shuffle: false,
    verbose: 0,
    yieldEvery: "never",
  });
}

export const load = (artifacts: tf.io.ModelArtifacts): Promise<layers.LayersModel> =>
  layers.loadLayersModel(tf.io.fromMemory(artifacts));

/** As a handler of files does: the topology and the specs through JSON, the weights as bytes. */
export function throughJson({ weightData, ...rest }: tf.io.ModelArtifacts): tf.io.ModelArtifacts {
  const bytes = new Uint8Array(weightData as ArrayBuffer);
  return {
    ...(JSON.parse(JSON.stringify(rest)) as tf.io.ModelArtifacts),
    // Handlers may give the weights in shards, of which the last is the shortest.
    weightData: [bytes.slice(0, -10).buffer, bytes.slice(-10).buffer],
  };
}

/** The largest difference of a weight from the expected ones, relative to the largest value of its tensor. */
export function distance(model: layers.LayersModel, expected: Fixture["after10"]): number {
  const values = Object.values(expected);
  return Math.max(
    ...weightsOf(model).map((weights, i) => {
      const largest = Math.max(...values[i].map(Math.abs));
      return Math.max(...weights.map((value, k) => Math.abs(value - values[i][k]))) / largest;
    }),
  );
}

/** A model with averages that no gradient changes, and layers with and without names. */
export function network(optimizer: tf.Optimizer): layers.Sequential {
  const { dense, batchNormalization } = layers.layers;
  const kernelInitializer = layers.initializers.glorotUniform({ seed: 3 });
  const biasInitializer = layers.initializers.constant({ value: 0.5 });
  const model = layers.sequential({
    layers: [
      dense({ units: 3, inputShape: [4], activation: "tanh", kernelInitializer, biasInitializer }),
      batchNormalization({ momentum: 0.5, betaInitializer: biasInitializer }),
      dense({ name: "last", units: 1, kernelInitializer, biasInitializer }),
    ],
  });
  model.compile({ optimizer, loss: "meanSquaredError" });
  return model;
}

/** What TF.js's own Adam computes. */
export const paper = (): GradstepOptimizer =>
  tfOptimizer(fromTfjs("adam", { learningRate: 0.002 }));
