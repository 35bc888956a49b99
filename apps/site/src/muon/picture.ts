import { adam, createOptimizer, muon, type Backend, type Tensor } from "@gradstep/core";
import { Matrix, SingularValueDecomposition } from "ml-matrix";
import { gradientsOf } from "./gradients.js";
import type { MuonSettings } from "./settings.js";

/** A matrix, and its singular values from the largest to the smallest. */
export interface PicturedMatrix {
  readonly rows: number;
  readonly columns: number;
  /** Row-major. */
  readonly values: Float32Array;
  readonly singularValues: readonly number[];
}

/** One step of Muon and one of Adam, with the same gradients. */
export interface MuonPicture {
  /** The gradient of the last step. */
  readonly gradient: PicturedMatrix;
  /** Muon's matrix after 0, 1, … iterations, not scaled to a learning rate. */
  readonly iterates: readonly PicturedMatrix[];
  /** Adam's update, for a learning rate of 1. */
  readonly adam: PicturedMatrix;
}

/**
 * Computes a picture with the rules themselves. Until the last step the learning rate is 0; in the last step it is 1,
 * so that parameters, which begin at 0, become the negative update.
 */
export async function pictureOf(settings: MuonSettings, backend: Backend): Promise<MuonPicture> {
  const gradients = gradientsOf(settings);
  const iterates = await muonIterates(settings, gradients, backend);
  const pictured = (values: Float32Array) => picturedMatrix(values, settings);
  return {
    gradient: pictured(gradients.at(-1)!),
    iterates: iterates.map(pictured),
    adam: pictured(await adamUpdate(settings, gradients, backend)),
  };
}

/** One optimizer: a group per number of iterations. */
async function muonIterates(
  { rows, columns, iterations, momentum, polynomials }: MuonSettings,
  gradients: readonly Float32Array[],
  backend: Backend,
): Promise<Float32Array[]> {
  const names = Array.from({ length: iterations + 1 }, (_, k) => `after ${k} iterations`);
  const weights = Object.fromEntries(names.map((name) => [name, backend.tensor([rows, columns])]));
  const spec = muon({ learningRate: 0, momentum, polynomials, adjust: "none" });
  const groups = names.map((name, nsSteps) => ({ match: name, nsSteps }));
  const optimizer = createOptimizer(spec, weights, { groups });
  gradients.forEach((gradient, step) => {
    if (step === gradients.length - 1) for (const group of optimizer.groups) group.learningRate = 1;
    optimizer.step(Object.fromEntries(names.map((name) => [name, gradient])));
  });
  const updates = await Promise.all(names.map((name) => updateIn(weights[name])));
  optimizer.dispose();
  return updates;
}

async function adamUpdate(
  { rows, columns }: MuonSettings,
  gradients: readonly Float32Array[],
  backend: Backend,
): Promise<Float32Array> {
  const weights = backend.tensor([rows, columns]);
  const optimizer = createOptimizer(adam({ learningRate: 0 }), { weights });
  gradients.forEach((gradient, step) => {
    if (step === gradients.length - 1) optimizer.learningRate = 1;
    optimizer.step({ weights: gradient });
  });
  const update = await updateIn(weights);
  optimizer.dispose();
  return update;
}

async function updateIn(weights: Tensor): Promise<Float32Array> {
  return Float32Array.from(await weights.read(), (value) => -value);
}

function picturedMatrix(
  values: Float32Array,
  { rows, columns }: { readonly rows: number; readonly columns: number },
): PicturedMatrix {
  const decomposition = new SingularValueDecomposition(Matrix.from1DArray(rows, columns, values), {
    computeLeftSingularVectors: false,
    computeRightSingularVectors: false,
    autoTranspose: true,
  });
  return { rows, columns, values, singularValues: decomposition.diagonal };
}
