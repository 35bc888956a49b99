import { readsRows, type PassKernel } from "../planning/pass-plan.js";
import { concat, type WasmFunction } from "./module-encoder.js";
import { passBodyOf, type PassKernelForm } from "./pass-body.js";
import { loopOverPositions } from "./position-loop.js";
import { loopOverRows } from "./row-loop.js";

/** Emits a part of a pass as a function `(range)`, which computes the positions or the rows of a range. */
export function emitPassKernel(kernel: PassKernel, form: PassKernelForm): WasmFunction {
  const body = passBodyOf(kernel, form);
  const loop =
    kernel.ranges === "positions"
      ? loopOverPositions(body, { hasRows: readsRows(kernel) })
      : loopOverRows(body);
  return { parameters: 1, locals: body.locals.types, body: concat(body.begin, loop) };
}
