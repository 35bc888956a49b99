import { learningRateSchedule } from "../src/training/learning-rate-schedule.js";
import { pixelsPerDigit, type Digits, type DigitSet, type Run } from "@gradstep/digits";
import { type OptimizerName, optimizers } from "@gradstep/digits/optimizers";
import { readDigits } from "@gradstep/digits/read";
import {
  gradstepOptimizer,
  type TrainingOptimizer,
  train,
  type Training,
} from "@gradstep/digits/training";
import { type Options, parseOptions } from "../src/options.mjs";

/** Every twentieth digit: enough to learn something quickly. */
export function fewOf({ count, pixels, labels }: DigitSet): DigitSet {
  const indices = Array.from({ length: count / 20 }, (_, index) => index * 20);
  const picked = new Float32Array(indices.length * pixelsPerDigit);
  indices.forEach((from, to) => {
    picked.set(
      pixels.subarray(from * pixelsPerDigit, (from + 1) * pixelsPerDigit),
      to * pixelsPerDigit,
    );
  });
  return {
    count: indices.length,
    pixels: picked,
    labels: Uint8Array.from(indices, (from) => labels[from]),
  };
}

export function optionsOf(...args: string[]): Options {
  return parseOptions(args);
}

/** The optimizer of these options, for a training on `digits`. */
export function optimizerOf(options: Options): TrainingOptimizer {
  return gradstepOptimizer(options, learningRateSchedule(options, digits.training.count));
}

export const all = readDigits();
export const digits: Digits = { training: fewOf(all.training), heldOut: fewOf(all.heldOut) };
export const settings = optionsOf(
  "--epochs=2",
  "--batch-size=40",
  "--learning-rate=0.002",
  "--seed=3",
);

export function trainWith(options: Options, more: Partial<Training> = {}): Promise<Run> {
  return train({ optimizer: optimizerOf(options), digits, settings: options, ...more });
}

export function trained(name: OptimizerName = "adam", seed = settings.seed): Promise<Run> {
  const { learningRate } = optimizers[name];
  const options = { ...settings, optimizer: name, learningRate, seed };
  return trainWith(options);
}
