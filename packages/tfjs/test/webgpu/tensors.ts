import { tf } from "../support.js";

/** A tensor's GPUBuffer, if it has one. */
export function bufferOf(tensor: tf.Tensor): unknown {
  const backend = tf.backend() as unknown as {
    tensorMap: { get(id: object): { resource?: unknown } };
  };
  return backend.tensorMap.get(tensor.dataId).resource;
}

/** A tensor that was computed on the GPU. */
export function computed(values: ArrayLike<number>, shape?: number[]): tf.Tensor {
  return tf.tidy(() => tf.mul(tf.tensor(Float32Array.from(values), shape), tf.scalar(1)));
}

/** A variable that was computed on the GPU. */
export function onGpu(values: ArrayLike<number>, shape: number[], name?: string): tf.Variable {
  return tf.tidy(() => tf.variable(computed(values, shape), true, name));
}

/** A tensor's values. */
export const valuesOf = async (tensor: tf.Tensor): Promise<number[]> =>
  Array.from(await tensor.data());
