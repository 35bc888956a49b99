import "@tensorflow/tfjs-backend-wasm";
import {
  adamw,
  chain,
  clipByGlobalNorm,
  cosineDecay,
  warmup,
  type GroupOptions,
} from "@gradstep/core";
import { tfOptimizer } from "@gradstep/tfjs";
import * as tf from "@tensorflow/tfjs-core";
import { hyperparameters } from "../adam.js";
import { expectedOf } from "../correctness.js";
import { gradientKinds, type Data } from "../data.js";
import type { Contender, Expected, RunningContender } from "./contender.js";
import { startTfjs, tfjsGradients } from "./tfjs-backend.js";

const { beta1, beta2, epsilon, learningRate: peak } = hyperparameters;
const [warm, total] = [2, 10_000];
const [weightDecay, globalClipNorm, lossScale] = [0.1, 1, 2 ** 10];

/** AdamW after clipping, as language models are trained: no decay of vectors, a rate that rises and falls, a loss scale. */
const spec = chain(
  clipByGlobalNorm(globalClipNorm),
  adamw({
    ...hyperparameters,
    learningRate: warmup(warm, cosineDecay(peak, total)),
    weightDecay,
    epsilonMode: "paper",
  }),
);
const groups: readonly GroupOptions<"weightDecay">[] = [
  { match: ({ shape }) => shape.length < 2, weightDecay: 0 },
];

function expected(data: Data): Promise<Expected> {
  return expectedOf(spec, data, { options: { groups, lossScale } });
}

/** What a contender makes of the variables: a step on gradients by their order. */
interface Stepping {
  readonly step: (gradients: readonly tf.Tensor[]) => void;
  readonly dispose: () => void;
}

/** Variables and gradients on TF.js's backend in WebAssembly. */
function onVariables(
  name: string,
  description: string,
  start: (variables: readonly tf.Variable[]) => Stepping,
): Contender {
  return {
    name,
    description,
    expected,
    start: async ({ workload, gradients, parameters }): Promise<RunningContender> => {
      const activate = await startTfjs("wasm");
      const variables = parameters().map((values, i) =>
        tf.tidy(() => tf.variable(tf.tensor(values, [...workload.shapes[i]]))),
      );
      const kinds = tfjsGradients(gradients, workload.shapes);
      const before = tf.memory().numTensors;
      const { step, dispose } = start(variables);
      let steps = 0;
      let held = 0;
      return {
        activate,
        step: () => {
          step(kinds[steps % gradientKinds]);
          steps += 1;
          if (steps === 1) held = tf.memory().numTensors - before;
        },
        read: () => Promise.all(variables.map((variable) => variable.data())),
        // The two moments of Adam, in f32.
        stateBytes: () =>
          Promise.resolve(variables.reduce((sum, variable) => sum + 2 * 4 * variable.size, 0)),
        heldTensors: () => held,
        dispose: () => {
          dispose();
          tf.dispose([variables, kinds]);
        },
      };
    },
  };
}

const gradstep = onVariables("gradstep", "@gradstep/tfjs on TF.js's wasm backend", (variables) => {
  const optimizer = tfOptimizer(spec, { groups, lossScale });
  return {
    step: (gradients) =>
      optimizer.applyGradients(
        Object.fromEntries(variables.map(({ name }, i) => [name, gradients[i]])),
      ),
    dispose: () => optimizer.dispose(),
  };
});

/** As people write it. */
const operations = onVariables(
  "tfjs-wasm ops",
  "the same in operations of TF.js, without looking for gradients that are not finite",
  (variables) => {
    const states = variables.map((variable) => {
      const zeros = (): tf.Variable =>
        tf.tidy(() => tf.variable(tf.zeros([...variable.shape]), false));
      return { variable, m: zeros(), v: zeros() };
    });
    let t = 0;
    return {
      step: (given) =>
        tf.tidy(() => {
          const progress = Math.min(t - warm, total) / total;
          const rate =
            t < warm ? (peak * t) / warm : (peak * (1 + Math.cos(Math.PI * progress))) / 2;
          t += 1;
          const gradients = given.map((g) => tf.div(g, lossScale));
          const norm = tf.sqrt(tf.addN(gradients.map((g) => tf.sum(tf.square(g)))));
          const factor = tf.minimum(1, tf.div(globalClipNorm, norm));
          states.forEach(({ variable, m, v }, i) => {
            const g = tf.mul(gradients[i], factor);
            m.assign(tf.add(tf.mul(m, beta1), tf.mul(g, 1 - beta1)));
            v.assign(tf.add(tf.mul(v, beta2), tf.mul(tf.square(g), 1 - beta2)));
            const root = tf.sqrt(tf.div(v, 1 - beta2 ** t));
            const update = tf.div(tf.mul(m, rate / (1 - beta1 ** t)), tf.add(root, epsilon));
            const decayed = variable.rank < 2 ? variable : tf.mul(variable, 1 - rate * weightDecay);
            variable.assign(tf.sub(decayed, update));
          });
        }),
      dispose: () => {
        tf.dispose(states.map(({ m, v }) => [m, v]));
      },
    };
  },
);

/** The optimizer of a language model on TF.js. */
export const languageModelContenders: readonly Contender[] = [gradstep, operations];
