import type { Backend, Tensor } from "../../backend/backend.js";
import { isInHostMemory, storedValues } from "../../backend/stored-values.js";
import { isTensor } from "../../backend/is-tensor.js";
import { GradstepError, show } from "../../errors.js";
import { notLive } from "../../backend/tensor-errors.js";

/**
 * Checks an option of a step that is a tensor of one value.
 *
 * @param what names it, as the message begins
 * @throws {GradstepError} `UNKNOWN_OPTION`, `LENGTH_MISMATCH`, `INVALID_MEMORY`, `DISPOSED`
 */
export function checkSignal(
  what: string,
  value: unknown,
  dtype: "f32" | "u32",
  backend: Backend,
): asserts value is Tensor {
  const isOfType =
    isTensor(value) &&
    value.backend === backend &&
    (dtype === "u32" ? value.layout?.dtype === "u32" : isPlain(value));
  if (!isOfType) {
    const expected = `a tensor of one ${dtype} of the parameters' ${backend.name} backend`;
    throw new GradstepError(
      `${what} is ${show(value)}; expected ${dtype === "f32" ? "a number, or " : ""}${expected}. ${remedies[dtype]}`,
      { code: isTensor(value) ? "INVALID_MEMORY" : "UNKNOWN_OPTION" },
    );
  }
  if (value.freed) throw notLive(what, value);
  if (value.size === 1) return;
  throw new GradstepError(
    `${what} has ${value.size} values; expected 1. Wrap the memory with shape: [1].`,
    { code: "LENGTH_MISMATCH" },
  );
}

const remedies = {
  f32: "Wrap its memory with shape: [1].",
  u32: 'Wrap its memory with shape: [1] and dtype: "u32".',
};

function isPlain({ layout }: Tensor): boolean {
  return layout === undefined || layout.dtype === "f32" || layout.dtype === "f64";
}

/**
 * The value of a tensor of one value.
 * @throws {GradstepError} `UNSUPPORTED` where the host cannot read it
 */
export function hostValueOf(what: string, tensor: Tensor): number {
  if (isInHostMemory(tensor)) return storedValues(tensor)[0];
  throw new GradstepError(
    `${what} is a tensor, and steps on backend ${tensor.backend.name} take numbers only. Read the tensor first.`,
    { code: "UNSUPPORTED" },
  );
}

/** @throws {GradstepError} `UNKNOWN_OPTION` */
export function checkScaleNumber(scale: number): void {
  if (Number.isFinite(scale)) return;
  throw new GradstepError(
    `scale is ${show(scale)}; expected a finite number, or a tensor of one f32.`,
    { code: "UNKNOWN_OPTION" },
  );
}
