import { GradstepError, show } from "../errors.js";
import { isArray } from "../argument-checks/is-array.js";
import { propertyOf } from "../argument-checks/property-of.js";
import type { BatchRun, Kernel, ParameterCopy, RowMove, RowSources, Tensor } from "./backend.js";
import { isTensor } from "./is-tensor.js";
import { checkRowValues, checkIndices } from "./row-value-checks.js";
import { checkLength } from "./shape.js";
import { isInHostMemory } from "./stored-values.js";

// An optimizer calls methods of backends with what it has checked; others may call them with anything.

/** @throws {GradstepError} `INVALID_PARAMETER` */
export function checkArgument(
  isValid: boolean,
  what: string,
  value: unknown,
  expected: string,
): void {
  if (isValid) return;
  throw new GradstepError(`${what} is ${show(value)}; expected ${expected}.`, {
    code: "INVALID_PARAMETER",
  });
}

const hostTensor = "a tensor in host memory";

function isHostTensor(value: unknown): boolean {
  return isTensor(value) && isInHostMemory(value);
}

/** @throws {GradstepError} `INVALID_PARAMETER`, `LENGTH_MISMATCH` */
export function checkTransfer(source: Tensor, target: Tensor): void {
  checkArgument(isHostTensor(source), "source", source, hostTensor);
  checkArgument(isHostTensor(target), "target", target, hostTensor);
  checkLength("The copy", target.size, source.size);
}

/** @throws {GradstepError} `INVALID_PARAMETER`, `LENGTH_MISMATCH` */
export function checkFilledCopy(parameter: Tensor, copy: ParameterCopy): void {
  checkTransfer(parameter, propertyOf(copy, "target") as Tensor);
  const activation = propertyOf(copy, "activation");
  const kind = propertyOf(activation, "kind");
  checkArgument(
    typeof kind === "string",
    "activation",
    activation,
    "one with kind, scale and offset",
  );
}

/**
 * @returns the number of rows that the tensors have now
 * @throws {GradstepError} `INVALID_PARAMETER`, `INVALID_MEMORY`, `LENGTH_MISMATCH`
 */
export function checkRowMoves(moves: readonly RowMove[], sources: RowSources): number {
  let rows = Infinity;
  const count = propertyOf(sources, "count") as number;
  checkArgument(Number.isInteger(count) && count > 0, "count", count, "a positive integer");
  checkArgument(isArray(moves), "moves", moves, "a list");
  const indices: unknown = propertyOf(sources, "indices");
  for (const move of moves) {
    const tensor = propertyOf(move, "tensor") as Tensor;
    const isOwn = isTensor(tensor) && "reallocate" in tensor;
    checkArgument(isOwn, "A moved tensor", tensor, "one of this backend");
    const { initial, reset } = move;
    const isInitial = typeof initial === "number" || isHostTensor(initial);
    checkArgument(isInitial, "initial", initial, `a number or ${hostTensor}`);
    if (!(["added", "all", "written"] as unknown[]).includes(reset))
      checkRowValues("reset", reset, count, tensor.backend, { allowsMore: true });
    checkRowValues("indices", indices, count, tensor.backend, { allowsMore: true });
    // No row of a tensor that is written moves; if it replaces another, it has the new number of rows already.
    if (reset !== "written") rows = Math.min(rows, tensor.shape[0]);
  }
  if (ArrayBuffer.isView(indices)) checkIndices((indices as Uint32Array).subarray(0, count), rows);
  return rows;
}

/**
 * @param kernels those that the backend compiled
 * @throws {GradstepError} `INVALID_PARAMETER`
 */
export function checkRuns(runs: readonly BatchRun[], kernels: Pick<WeakSet<Kernel>, "has">): void {
  checkArgument(isArray(runs), "runs", runs, "a list");
  for (const run of runs) {
    const isRun = kernels.has(propertyOf(run, "kernel") as Kernel) && hasUpdates(run);
    checkArgument(isRun, "A run", run, "{ kernel, updates, count } of kernels of this backend");
  }
}

function hasUpdates({ updates, count }: BatchRun): boolean {
  if (!isArray(updates) || count >>> 0 !== count || count > updates.length) return false;
  for (let i = 0; i < count; i += 1) {
    const update: unknown = updates[i];
    const isUpdate =
      isTensor(propertyOf(update, "parameter")) && isTensor(propertyOf(update, "gradient"));
    if (!isUpdate) return false;
  }
  return true;
}
