import * as tf from "@tensorflow/tfjs-core";

/**
 * Makes TF.js compute on one of its backends, without banners and hints on the terminal.
 * @returns what makes it the current one again, for `RunningContender.activate`
 */
export async function startTfjs(backend: string): Promise<() => Promise<void>> {
  tf.enableProdMode();
  const activate = async (): Promise<void> => {
    if (!(await tf.setBackend(backend)))
      throw new Error(`TF.js could not start its ${backend} backend.`);
  };
  await activate();
  return activate;
}

/** Gradients as tensors, by kind and then by tensor. */
export function tfjsGradients(
  gradients: readonly (readonly Float32Array[])[],
  shapes: readonly (readonly number[])[],
): tf.Tensor[][] {
  return gradients.map((kind) =>
    // A copy, because TF.js keeps the array, and all contenders read this one.
    kind.map((values, i) => tf.tensor(values.slice(), [...shapes[i]])),
  );
}
