import "@tensorflow/tfjs-backend-wasm";
import { muon } from "@gradstep/core";
import { wasm as backend } from "@gradstep/wasm";
import * as tf from "@tensorflow/tfjs-core";
import { hyperparameters } from "../adam.js";
import type { Contender } from "./contender.js";
import { gradstepContender, inBackendMemory } from "./gradstep.js";
import { startTfjs } from "./tfjs-backend.js";

const iterations = 5;

/** The products of one iteration, all of them plain: TF.js has a slow path for transposed operands. */
function multiply(x: tf.Tensor2D, transposed: tf.Tensor2D): tf.Tensor {
  const isTall = x.shape[0] > x.shape[1];
  const gram = isTall ? tf.matMul(transposed, x) : tf.matMul(x, transposed);
  const square = tf.matMul(gram, gram);
  return isTall ? tf.matMul(x, square) : tf.matMul(square, x);
}

/** The time of as many products as a step of Muon has, and of nothing else. */
const products: Contender = {
  name: "tfjs matMuls",
  description: "the same number of products in TF.js in WebAssembly",
  isBaseline: true,
  start: async ({ workload, parameters }) => {
    const activate = await startTfjs("wasm");
    const matrices = parameters().map((values, i) => {
      const x = tf.tensor2d(values, [...workload.shapes[i]] as [number, number]);
      return { x, transposed: tf.transpose(x) };
    });
    return {
      activate,
      step: () => {
        for (const { x, transposed } of matrices)
          for (let i = 0; i < iterations; i += 1) tf.tidy(() => void multiply(x, transposed));
      },
      read: () => Promise.all(matrices.map(({ x }) => x.data())),
      stateBytes: () => Promise.resolve(0),
      dispose: () => tf.dispose(matrices.map(Object.values)),
    };
  },
};

/** A whole step of Muon on one thread, against its matrix products alone. */
export const muonContenders: readonly Contender[] = [
  gradstepContender(
    "muon",
    "Muon, gradstep in WebAssembly",
    () => inBackendMemory(backend()),
    muon({ learningRate: hyperparameters.learningRate, nsSteps: iterations }),
  ),
  products,
];
