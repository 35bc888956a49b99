import { fieldOf, readField } from "../layouts/field.js";
import {
  ceilFloat16,
  floorFloat16,
  largestFloat16,
  smallestNormalFloat16,
} from "../layouts/float16.js";
import { hostOperations, type LayoutOperations } from "../layouts/laid-out-updates.js";
import type { Random } from "../suite/random/random.js";
import { ShaderActivations } from "./shader-activations.js";
import { ShaderArithmetic } from "./shader-arithmetic.js";

/** Integers up to this magnitude are exact in f32. */
const exactIntegers = 2 ** 24;

/**
 * Values of any type as a shader reads and writes them, with the largest errors that WGSL allows.
 * @param randomOf random numbers that depend on some values
 */
export function shaderOperations(randomOf: (values: Iterable<number>) => Random): LayoutOperations {
  return {
    ...hostOperations,
    decode: (tensor) => {
      const { words, field } = fieldOf(tensor);
      const stored = readField(words, field);
      const random = randomOf(stored);
      const shader = new ShaderArithmetic(random);
      return Float32Array.from(stored, (value) => {
        if (field.dtype === "f32") return value;
        if (field.dtype === "f16")
          return Math.abs(value) < smallestNormalFloat16 && random.chance(0.5) ? 0 : value;
        const integer = Math.abs(value) <= exactIntegers ? value : shader.either(value);
        return shader.either(integer * Math.fround(field.scale));
      });
    },
    chainRule: (activation, row, gradients) =>
      new ShaderActivations(randomOf([...row, ...gradients])).chainRule(
        activation,
        Array.from(row),
        Array.from(gradients),
      ),
    activate: (activation, row) =>
      new ShaderActivations(randomOf(row)).activate(activation, Array.from(row)),
    fill: (target, values) => {
      const { dtype } = fieldOf(target).field;
      const random = randomOf(Array.from(values));
      hostOperations.fill(
        target,
        dtype === "f16" ? Array.from(values, (value) => eitherFloat16(value, random)) : values,
      );
    },
  };
}

/** Either neighbor, or 0 for what is subnormal. */
function eitherFloat16(value: number, random: Random): number {
  const clamped = Math.max(-largestFloat16, Math.min(largestFloat16, value));
  const rounded = random.chance(0.5) ? floorFloat16(clamped) : ceilFloat16(clamped);
  return Math.abs(rounded) < smallestNormalFloat16 && random.chance(0.5) ? 0 : rounded;
}
