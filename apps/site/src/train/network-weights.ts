import { pixelsPerDigit } from "@gradstep/digits";
import { digitNetwork } from "@gradstep/digits/training";
import { tfParameters } from "@gradstep/tfjs";
import { tensor2d, tidy, type Tensor } from "@tensorflow/tfjs-core";
import type { Sequential } from "@tensorflow/tfjs-layers";
import type { Weights } from "./weights-digest.js";

/** The weights of a network as they are when this is called. */
export async function readWeights(network: Sequential): Promise<Weights> {
  const entries = Object.entries(tfParameters(network)).map(
    async ([name, parameter]) => [name, (await parameter.read()) as Weights[string]] as const,
  );
  return Object.fromEntries(await Promise.all(entries));
}

/** What a network with these weights answers for a picture: the probability of each class. */
export async function recognise(
  pixels: Float32Array,
  weights: Weights,
  seed: number,
): Promise<Float32Array> {
  const network = digitNetwork(seed);
  for (const [name, parameter] of Object.entries(tfParameters(network)))
    parameter.write(weights[name]);
  const output = tidy(() => network.predict(tensor2d(pixels, [1, pixelsPerDigit])) as Tensor);
  const probabilities = (await output.data()) as Float32Array;
  output.dispose();
  network.dispose();
  return probabilities.slice();
}
