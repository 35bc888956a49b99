import { checkActivation, type Activation } from "../../activations/activation.js";
import type { Backend, ParameterCopy, Tensor } from "../../backend/backend.js";
import { isRawMemory } from "../../backend/raw-memory.js";
import { isTensor } from "../../backend/is-tensor.js";
import { isSameShape } from "../../backend/shape.js";
import { checkOptions } from "../../argument-checks/check-options.js";
import { GradstepError, show } from "../../errors.js";
import { hasNames } from "../../argument-checks/has-names.js";
import { notLive } from "../../backend/tensor-errors.js";
import { checkIsTable, notAParameter } from "./parameter-checks.js";
import { isArray } from "../../argument-checks/is-array.js";

/** A tensor that each step fills with the new values of a parameter. */
export interface CopyOptions<T extends Tensor = Tensor> {
  /** Of the parameter's shape and backend; f32 or f16, with any layout. */
  readonly to: T;
  /** What is copied: the parameter itself if left out. */
  readonly as?: Activation | undefined;
}

/** One or several copies of a parameter; a tensor alone is `{ to: tensor }`. */
export type CopyOption<T extends Tensor = Tensor> = T | CopyOptions<T> | readonly CopyOptions<T>[];

/** Copies by the names of their parameters. */
export type CopyTable<T extends Tensor = Tensor> = Readonly<Record<string, CopyOption<T>>>;

/**
 * Checks the copies of some parameters.
 * @param shapes by the names of the parameters that can have copies
 * @throws {GradstepError} `UNKNOWN_PARAMETER`, `INVALID_PARAMETER`, `INVALID_SHAPE`, `DISPOSED`, `UNKNOWN_OPTION`
 */
export function checkCopies(
  copies: CopyTable,
  shapes: ReadonlyMap<string, readonly number[]>,
  backend: Backend | undefined,
): Map<string, readonly ParameterCopy[]> {
  checkIsTable("copies", copies, "tensors by the names of parameters");
  const checked = new Map<string, readonly ParameterCopy[]>();
  for (const [name, option] of Object.entries(copies)) {
    const shape = shapes.get(name);
    if (shape === undefined) throw notAParameter("copies", name, shapes.keys());
    const options = isArray(option) ? (option as readonly unknown[]) : [option];
    checked.set(
      name,
      options.map((one) => checkCopy(name, one, shape, backend)),
    );
  }
  return checked;
}

function checkCopy(
  name: string,
  option: unknown,
  shape: readonly number[],
  backend: Backend | undefined,
): ParameterCopy {
  const isAlone = isTensor(option) || isRawMemory(option) || !hasNames(option);
  const { to, as = "identity" } = (isAlone ? { to: option } : option) as Partial<CopyOptions>;
  if (!isAlone && isTensor(to)) checkOptions(`The copy of "${name}"`, option, ["to", "as"]);
  const dtype = isTensor(to) ? (to.layout?.dtype ?? to.backend.precision) : undefined;
  const isFloat = dtype === "f16" || dtype === backend?.precision;
  if (!isTensor(to) || !isFloat || to.backend !== backend || backend.fillCopy === undefined) {
    throw new GradstepError(
      `The copy of "${name}" is ${show(isAlone ? option : to)}; expected a tensor of f32 or f16 of the parameters' backend, such as backend.wrap(buffer, { shape, dtype: "f16" }) on WebGPU.`,
      { code: "INVALID_PARAMETER" },
    );
  }
  if (to.freed) throw notLive(`The copy of "${name}"`, to);
  if (!isSameShape(to.shape, shape)) {
    throw new GradstepError(
      `The copy of "${name}" has shape ${show(to.shape)}; expected ${show(shape)}. Wrap its memory with shape: ${show(shape)}.`,
      { code: "INVALID_SHAPE" },
    );
  }
  return { target: to, activation: checkActivation(`The copy of "${name}"`, as) };
}

/** Copies of a parameter by the names used in messages. */
export function namedCopies(
  name: string,
  copies: readonly ParameterCopy[],
): readonly (readonly [string, Tensor])[] {
  return copies.map(({ target }, i) => [
    `copy ${copies.length > 1 ? `${i} ` : ""}of ${name}`,
    target,
  ]);
}
