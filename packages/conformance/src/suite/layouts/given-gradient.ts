import type { Activation } from "@gradstep/core";
import { chainRuleBounds } from "../../bounds/activation-bounds.js";
import type { ErrorModel } from "../../bounds/error-model.js";
import { operations } from "../../bounds/interval-operations.js";
import { certainInput, operand, point, type Interval } from "../../bounds/interval.js";
import { fixedPointBound, readFloat16Bound } from "../../bounds/stored-value-bounds.js";
import { chainRule } from "../../layouts/activation-gradients.js";
import { decodeField, extentOf, type Field } from "../../layouts/field.js";
import { randomGradient } from "../random/random-values.js";
import type { Random } from "../random/random.js";
import { checkedActivation } from "./laid-out-parameter.js";

/** A gradient by a parameter, after the chain rule. */
export interface GivenGradient {
  /** What exact backends compute. */
  readonly values: Float32Array;
  /** What other backends may compute. */
  readonly bound: readonly Interval[];
}

/** A gradient as a step is given it. */
export interface StoredGradient {
  readonly numbers: ArrayLike<number>;
  /** Where they are stored; undefined for f32 one after the other. */
  readonly field: Field | undefined;
  /** That of all gradients of the step. */
  readonly scale: number;
  /** The gradient is by the parameter after it. */
  readonly activation: Activation | undefined;
}

/**
 * What the stored numbers of a gradient stand for.
 * @param parameter the parameter before the step
 */
export function givenGradient(
  { numbers, field, scale, activation }: StoredGradient,
  parameter: { readonly shape: readonly number[]; readonly values: ArrayLike<number> },
  model: ErrorModel,
): GivenGradient {
  const factor = Math.fround(scale);
  const stored = field === undefined ? Float32Array.from(numbers) : decodeField(field, numbers);
  const values = scale === 1 ? stored : stored.map((value) => value * factor);
  const bound = Array.from(numbers, (number) => {
    const one = readBound(number, field, model);
    return scale === 1 ? one : operations.mul(model, operand(one, model), point(factor));
  });
  if (activation === undefined) return { values, bound };
  const checked = checkedActivation(activation);
  const rows = rowsOf(parameter.values, parameter.shape);
  const columns = rows[0].length;
  const part = <T>(all: readonly T[] | Float32Array, row: number) =>
    all.slice(row * columns, (row + 1) * columns);
  return {
    values: Float32Array.from(
      rows.flatMap((row, i) => [...chainRule(checked, row, part(values, i) as Float32Array)]),
    ),
    bound: rows.flatMap((row, i) =>
      chainRuleBounds(
        checked,
        row.map((x) => certainInput(x, model)),
        part(bound, i) as Interval[],
        model,
      ),
    ),
  };
}

function readBound(number: number, field: Field | undefined, model: ErrorModel): Interval {
  if (field?.dtype === "f16") return readFloat16Bound(number, model);
  if (field === undefined || field.dtype === "f32") return certainInput(number, model);
  return fixedPointBound(number, field.scale, model);
}

/** The values of each row. */
export function rowsOf(values: ArrayLike<number>, shape: readonly number[]): readonly number[][] {
  const { rows, columns } = extentOf(shape);
  const all = Array.from(values);
  return Array.from({ length: rows }, (_, i) => all.slice(i * columns, (i + 1) * columns));
}

/** Numbers that a field of gradients can store: ordinary gradients, and any. */
export function randomStored(
  { dtype, scale }: Field,
  length: number,
  random: Random,
): ArrayLike<number> {
  if (dtype === "f32") return randomGradient(length, random);
  return Float64Array.from({ length }, () => {
    if (random.chance(0.1)) return 0;
    const size = dtype === "f16" ? randomFloat16(random) : randomInteger(dtype, scale, random);
    const isNegative = dtype !== "u32" && size !== 0 && random.chance(0.5);
    return isNegative ? -size : size;
  });
}

function randomInteger(dtype: "i32" | "u32", scale: number, random: Random): number {
  const most = dtype === "u32" ? 2 ** 32 - 1 : 2 ** 31 - 1;
  return random.chance(0.8)
    ? Math.min(most, Math.round(10 ** random.between(-3, 1) / scale))
    : random.integer(0, most);
}

function randomFloat16(random: Random): number {
  const exponent = random.chance(0.7) ? random.integer(-8, 2) : random.integer(-24, 15);
  const unit = 2 ** (Math.max(exponent, -14) - 10);
  return Math.floor((2 ** exponent * (1 + random.unit())) / unit) * unit;
}
