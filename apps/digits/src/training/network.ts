import { initializers, layers, type Sequential, sequential } from "@tensorflow/tfjs-layers";
import { classes, pixelsPerDigit } from "../data/digit-set.js";

/** Units of each layer, from the pixels to the ten classes. */
export const layerWidths: readonly number[] = [pixelsPerDigit, 128, 64, classes];

/** Weights and biases that the optimizer updates. */
export const parameterCount: number = layerWidths
  .slice(1)
  .reduce((sum, units, layer) => sum + (layerWidths[layer] + 1) * units, 0);

/**
 * An untrained network: two hidden layers of rectified linear units, then a softmax over the classes.
 * The same seed gives the same weights on every backend (Glorot and Bengio 2010, uniform).
 * Dense layers only: TF.js's wasm backend has no gradients of convolutions.
 */
export function digitNetwork(seed: number): Sequential {
  const network = sequential();
  layerWidths.slice(1).forEach((units, layer) => {
    network.add(
      layers.dense({
        units,
        activation: units === classes ? "softmax" : "relu",
        kernelInitializer: initializers.glorotUniform({ seed: seed * layerWidths.length + layer }),
        ...(layer === 0 ? { inputShape: [pixelsPerDigit] } : {}),
      }),
    );
  });
  return network;
}
