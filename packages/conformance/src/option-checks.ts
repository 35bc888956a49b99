import { GradstepError, hasNames, show, type Backend } from "@gradstep/core";
import { checkOptions } from "@gradstep/core/internal";
import { roundToNearest, type ErrorModel } from "./bounds/error-model.js";

/** An option that is not what it must be. */
function invalid(what: string, name: string, got: unknown, expected: string): GradstepError {
  return new GradstepError(`${what}: ${name} is ${show(got)}; expected ${expected}.`, {
    code: "INVALID_HYPERPARAMETER",
  });
}

/**
 * @param what whose option it is, as the message begins: `verify`
 * @throws {GradstepError} `INVALID_HYPERPARAMETER`
 */
export function checkFunction(what: string, name: string, got: unknown, expected: string): void {
  if (typeof got !== "function") throw invalid(what, name, got, expected);
}

/** @throws {GradstepError} `INVALID_HYPERPARAMETER` unless it is an integer of at least `min`, or undefined */
export function checkInteger(what: string, name: string, got: unknown, min: number): void {
  if (got === undefined || (Number.isSafeInteger(got) && (got as number) >= min)) return;
  throw invalid(what, name, got, `an integer of at least ${min}`);
}

/** @throws {GradstepError} `INVALID_HYPERPARAMETER` unless it is a list of strings, or undefined */
export function checkNames(what: string, name: string, got: unknown, example: string): void {
  if (got === undefined || (Array.isArray(got) && got.every((one) => typeof one === "string")))
    return;
  throw invalid(what, name, got, `a list of names, such as ["${example}"]`);
}

/** @throws {GradstepError} `INVALID_HYPERPARAMETER` unless it is a whole error model, or undefined */
export function checkModel(what: string, got: unknown): void {
  if (got === undefined) return;
  const isWhole =
    hasNames(got) &&
    (Object.keys(roundToNearest) as (keyof ErrorModel)[]).every(
      (key) => typeof got[key] === typeof roundToNearest[key],
    );
  if (!isWhole) throw invalid(what, "model", got, "an error model: roundToNearest or wgsl");
}

/** What makes a backend. @throws {GradstepError} `INVALID_HYPERPARAMETER` */
export function checkBackendOption(what: string, got: unknown): void {
  checkFunction(what, "backend", got, "a function that returns a fresh backend: () => myBackend()");
}

/** Whether an object has methods of these names. Proxies that throw have none. */
export function hasMethods(got: unknown, ...names: readonly string[]): boolean {
  try {
    const object = Object(got) as Readonly<Record<string, unknown>>;
    return names.every((name) => typeof object[name] === "function");
  } catch {
    return false;
  }
}

/** Checks what watches and stops a run. @throws {GradstepError} `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER` */
export function checkWatching(what: string, options: object, names: readonly string[]): void {
  checkOptions(what, options, names);
  const { signal, ...listeners } = options as Readonly<Record<string, unknown>>;
  if (signal !== undefined && !hasMethods(signal, "throwIfAborted"))
    throw invalid(what, "signal", signal, "an AbortSignal, such as AbortSignal.timeout(60_000)");
  for (const [name, listener] of Object.entries(listeners))
    if (listener !== undefined) checkFunction(what, name, listener, "a function");
}

/** Makes a backend. @throws {GradstepError} `INVALID_PARAMETER` for what is no backend */
export async function makeBackend(make: () => Backend | Promise<Backend>): Promise<Backend> {
  const backend = await make();
  if (hasMethods(backend, "tensor", "compile")) return backend;
  throw new GradstepError(
    `backend() gave ${show(backend)}; expected a backend, which has tensor() and compile(). Return it, as in () => myBackend().`,
    { code: "INVALID_PARAMETER" },
  );
}
