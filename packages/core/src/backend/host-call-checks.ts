import { GradstepError, show } from "../errors.js";
import { propertyOf } from "../property-of.js";
import type { BatchRun, ParameterCopy, RowMove, RowSources } from "./backend.js";
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
    const indices: unknown = propertyOf(sources, "indices");
    checkFirstRowValues("indices", indices, count, backend);
    if (ArrayBuffer.isView(indices)) checkIndices(indices.subarray(0, count), shape[0]);
  }
}

/**
 * @param isOwn whether a kernel is one that the backend compiled
 * @throws {GradstepError} `INVALID_PARAMETER`
 */
export function checkRuns(runs: readonly BatchRun[], isOwn: (kernel: object) => boolean): void {
  const isUpdate = (update: unknown): boolean =>
    isTensor(propertyOf(update, "parameter")) && isTensor(propertyOf(update, "gradient"));
  const isRun = (run: unknown): boolean => {
    const updates = propertyOf(run, "updates");
    const count = propertyOf(run, "count") as number;
    return (
      isOwn(propertyOf(run, "kernel") as object) &&
      Array.isArray(updates) &&
      Number.isSafeInteger(count) &&
      count >= 0 &&
      count <= updates.length &&
      updates.slice(0, count).every(isUpdate)
    );
  };
  check(Array.isArray(runs), "runs", runs, "a list");
  for (const run of runs)
    check(isRun(run), "A run", run, "{ kernel, updates, count } of kernels of this backend");
}
