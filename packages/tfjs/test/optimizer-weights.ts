import { adam, type NamedTensor } from "../src/index.js";
import { tf, variable } from "./support.js";

/** Copies weights, as a checkpoint does. */
export async function copyOf(weights: NamedTensor[]): Promise<NamedTensor[]> {
  return Promise.all(
    weights.map(async ({ name, tensor }) => ({
      name,
      tensor: tf.tensor((await tensor.data()).slice(), tensor.shape, tensor.dtype),
    })),
  );
}

export const gradient = (...values: number[]): tf.Tensor => tf.tensor(values);

/** The weights of an optimizer after one step on `a` and `b`. */
export async function stepped(): Promise<NamedTensor[]> {
  variable([1, 1], [2], "a");
  variable([1], [1], "b");
  const optimizer = adam({ learningRate: 0.1 });
  optimizer.applyGradients({ a: gradient(1, -2), b: gradient(3) });
  tf.disposeVariables();
  return copyOf(await optimizer.getWeights());
}
