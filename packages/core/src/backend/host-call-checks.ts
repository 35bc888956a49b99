import { GradstepError, show } from "../errors.js";
import { propertyOf } from "../property-of.js";
import type { BatchRun, Kernel, ParameterCopy, RowMove, RowSources } from "./backend.js";
import { isTensor } from "./is-tensor.js";
import { checkFirstRowValues, checkIndices } from "./row-value-checks.js";
import { checkLength } from "./shape.js";
import { isInHostMemory } from "./stored-values.js";

// An optimizer calls methods of backends with what it has checked; others may call them with anything.

function check(isValid: boolean, what: string, value: unknown, expected: string): void {
  if (isValid) return;
  throw new GradstepError(`${what} is ${show(value)}; expected ${expected}.`, {
    code: "INVALID_PARAMETER",
  });
}

function isHostTensor(value: unknown): boolean {
  return isTensor(value) && isInHostMemory(value);
}

/** @throws {GradstepError} `INVALID_PARAMETER`, `LENGTH_MISMATCH` */
export function checkTransfer(source: unknown, target: unknown): void {
  for (const tensor of [source, target])
    check(isHostTensor(tensor), "A copied tensor", tensor, "one in host memory");
  checkLength(
    "The copy",
    propertyOf(target, "size") as number,
    propertyOf(source, "size") as number,
  );
}

/** @throws {GradstepError} `INVALID_PARAMETER`, `LENGTH_MISMATCH` */
export function checkFilledCopy(parameter: unknown, copy: ParameterCopy): void {
  checkTransfer(parameter, propertyOf(copy, "target"));
  const activation = propertyOf(copy, "activation");
  const kind = propertyOf(activation, "kind");
  check(typeof kind === "string", "activation", activation, "one with kind, scale and offset");
}

/** @throws {GradstepError} `INVALID_PARAMETER`, `INVALID_MEMORY`, `LENGTH_MISMATCH` */
export function checkRowMoves(moves: readonly RowMove[], sources: RowSources): void {
  const count = propertyOf(sources, "count") as number;
  check(Number.isSafeInteger(count) && count > 0, "count", count, "a positive integer");
  check(Array.isArray(moves), "moves", moves, "a list");
  const indices: unknown = propertyOf(sources, "indices");
  for (const move of moves) {
    const tensor = propertyOf(move, "tensor");
    check(
      isTensor(tensor) && "reallocate" in tensor,
      "A moved tensor",
      tensor,
      "one of this backend",
    );
    const { backend, shape } = move.tensor;
    const { initial, reset } = move;
    check(typeof initial === "number" || isHostTensor(initial), "initial", initial, "a number");
    if (!(["added", "all", "written"] as unknown[]).includes(reset))
      checkFirstRowValues("reset", reset, count, backend);
    checkFirstRowValues("indices", indices, count, backend);
    if (ArrayBuffer.isView(indices)) checkIndices(indices.subarray(0, count), shape[0]);
  }
}

/**
 * @param kernels those that the backend compiled
 * @throws {GradstepError} `INVALID_PARAMETER`
 */
export function checkRuns(runs: readonly BatchRun[], kernels: Pick<WeakSet<Kernel>, "has">): void {
  check(Array.isArray(runs), "runs", runs, "a list");
  for (const run of runs) {
    const isRun = kernels.has(propertyOf(run, "kernel") as Kernel) && hasUpdates(run);
    check(isRun, "A run", run, "{ kernel, updates, count } of kernels of this backend");
  }
}

function hasUpdates(run: BatchRun): boolean {
  const updates = propertyOf(run, "updates") as BatchRun["updates"];
  const count = propertyOf(run, "count") as number;
  const isCount = Number.isSafeInteger(count) && count >= 0;
  if (!isCount || !Array.isArray(updates) || count > updates.length) return false;
  for (let i = 0; i < count; i += 1) {
    const update: unknown = updates[i];
    const isUpdate =
      isTensor(propertyOf(update, "parameter")) && isTensor(propertyOf(update, "gradient"));
    if (!isUpdate) return false;
  }
  return true;
}
