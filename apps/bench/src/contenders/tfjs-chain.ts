import "@tensorflow/tfjs-backend-wasm";
import { adamw, chain, clipByGlobalNorm, ema } from "@gradstep/core";
import * as tf from "@tensorflow/tfjs-core";
import { hyperparameters } from "../adam.js";
import { gradientKinds } from "../data.js";
import { chainSettings } from "./chain-settings.js";
import type { Contender } from "./contender.js";
import { startTfjs, tfjsGradients } from "./tfjs-backend.js";

const { learningRate, beta1, beta2, epsilon } = hyperparameters;
const { globalClipNorm, weightDecay, emaMomentum } = chainSettings;

/** A variable with what the optimizer keeps for it. */
interface State {
  readonly parameter: tf.Variable;
  readonly m: tf.Variable;
  readonly v: tf.Variable;
  readonly average: tf.Variable;
}

/** One step over all variables, as one writes it in operations of TF.js. */
function step(states: readonly State[], gradients: readonly tf.Tensor[], t: number): void {
  const norm = tf.sqrt(tf.addN(gradients.map((g) => tf.sum(tf.square(g)))));
  const factor = tf.minimum(1, tf.div(globalClipNorm, norm));
  const rate = learningRate / (1 - beta1 ** t);
  const root = Math.sqrt(1 - beta2 ** t);
  const decay = t === 1 ? 0 : emaMomentum;
  states.forEach(({ parameter, m, v, average }, i) => {
    const g = tf.mul(gradients[i], factor);
    m.assign(tf.add(tf.mul(m, beta1), tf.mul(g, 1 - beta1)));
    v.assign(tf.add(tf.mul(v, beta2), tf.mul(tf.square(g), 1 - beta2)));
    const update = tf.div(tf.mul(m, rate), tf.add(tf.div(tf.sqrt(v), root), epsilon));
    parameter.assign(tf.sub(tf.mul(parameter, 1 - learningRate * weightDecay), update));
    average.assign(tf.add(tf.mul(average, decay), tf.mul(parameter, 1 - decay)));
  });
}

/** Clipping by the global norm, AdamW and an average of the weights, in operations of TF.js in WebAssembly. */
export const tfjsChain: Contender = {
  name: "tfjs-wasm ops",
  description: "the same in operations of TF.js in WebAssembly",
  spec: chain(
    clipByGlobalNorm(globalClipNorm),
    adamw({ ...hyperparameters, epsilonMode: "paper", weightDecay }),
    ema(emaMomentum),
  ),
  start: async ({ workload, gradients, parameters }) => {
    const activate = await startTfjs("wasm");
    const states = parameters().map((values, i): State => {
      const shape = [...workload.shapes[i]];
      const zeros = (): tf.Variable => tf.tidy(() => tf.variable(tf.zeros(shape)));
      const parameter = tf.tidy(() => tf.variable(tf.tensor(values, shape)));
      return { parameter, m: zeros(), v: zeros(), average: zeros() };
    });
    const kinds = tfjsGradients(gradients, workload.shapes);
    let steps = 0;
    return {
      activate,
      step: () => {
        steps += 1;
        tf.tidy(() => step(states, kinds[(steps - 1) % gradientKinds], steps));
      },
      read: () => Promise.all(states.map(({ parameter }) => parameter.data())),
      stateBytes: () =>
        Promise.resolve(states.reduce((sum, { parameter }) => sum + 3 * 4 * parameter.size, 0)),
      dispose: () => {
        tf.dispose([states.map((state) => Object.values(state)), kinds]);
      },
    };
  },
};
