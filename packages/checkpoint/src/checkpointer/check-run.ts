import { GradstepError, hasNames, list, show, type ErrorCode } from "@gradstep/core";
import { propertyOf } from "@gradstep/core/internal";
import type { CheckpointStore } from "../stores/store.js";
import type { CheckpointedParameters, CheckpointedRun } from "./checkpointed-run.js";

/** @throws {GradstepError} `INVALID_PARAMETER` or `INVALID_HYPERPARAMETER` for what lacks a method that is needed */
export function checkRun(
  { optimizer, parameters, others }: CheckpointedRun,
  store: CheckpointStore,
): void {
  checkMethods("checkpointer", optimizer, {
    what: "the optimizer",
    methods: ["state", "restore"],
    expected: "what createOptimizer, or a function of @gradstep/tfjs, returns",
  });
  if (!hasNames(parameters) || "getWeights" in parameters)
    throw new GradstepError(
      `checkpointer: got ${show(parameters)} as the parameters; expected tensors by name, such as { weights }, or tfParameters(model) for a model of TensorFlow.js.`,
      { code: "INVALID_PARAMETER" },
    );
  for (const [name, one] of Object.entries(parameters))
    checkMethods("checkpointer", one, {
      what: `the parameter ${show(name)}`,
      methods: ["read", "write"],
      expected:
        "a tensor, such as backend.tensor(shape, values), or, of TensorFlow.js, what tfParameters(variables) has",
      code: "INVALID_PARAMETER",
    });
  checkHasVariables(optimizer, parameters);
  checkParameterNames({ optimizer, parameters });
  if (!hasNames(others))
    throw new GradstepError(
      `checkpointer: got ${show(others)} as others; expected objects with state and restore by name, such as { plateau }.`,
      { code: "INVALID_HYPERPARAMETER" },
    );
  for (const [name, one] of Object.entries(others))
    checkMethods("checkpointer", one, {
      what: `others.${name}`,
      methods: ["state", "restore"],
      expected: "an object with state and restore",
    });
  checkStore("checkpointer", store);
}

/**
 * An optimizer of TensorFlow.js updates variables, which tensors of a backend can only be saved beside.
 * @throws {GradstepError} `INVALID_PARAMETER`
 */
function checkHasVariables(optimizer: object, parameters: CheckpointedParameters): void {
  const all = Object.values(parameters);
  if (!("applyGradients" in optimizer) || all.length === 0) return;
  if (!all.every((one) => "backend" in one)) return;
  throw new GradstepError(
    "checkpointer: got tensors of a backend as the parameters of an optimizer of TensorFlow.js; expected tfParameters(model), or tfParameters(variables).",
    { code: "INVALID_PARAMETER" },
  );
}

/** @param what the function that got it, as the message begins @throws {GradstepError} `INVALID_HYPERPARAMETER` */
export function checkStore(what: string, store: unknown): void {
  checkMethods(what, store, {
    what: "the store",
    methods: ["list", "write", "open", "remove"],
    expected: "a store, such as fileStore(path) or memoryStore()",
  });
}

/**
 * The values of all parameters that the optimizer has now are saved with it.
 * @throws {GradstepError} `INVALID_PARAMETER`
 */
export function checkParameterNames({
  optimizer,
  parameters,
}: Pick<CheckpointedRun, "optimizer" | "parameters">): void {
  const { parameters: names = [] } = optimizer;
  const missing = names.filter((name) => !Object.hasOwn(parameters, name));
  if (missing.length === 0) return;
  throw new GradstepError(
    `checkpointer: the parameters lack ${list(missing)}, which the optimizer has; expected all of them, under the names that they have there. Add to the object of parameters what is added to the optimizer.`,
    { code: "INVALID_PARAMETER" },
  );
}

/** An object that has methods, as a message describes it. */
interface Methods {
  readonly what: string;
  readonly methods: readonly string[];
  readonly expected: string;
  /** `INVALID_HYPERPARAMETER` if left out. */
  readonly code?: ErrorCode;
}

/** @param caller the function that got it, as the message begins */
function checkMethods(
  caller: string,
  got: unknown,
  { what, methods, expected, code = "INVALID_HYPERPARAMETER" }: Methods,
): void {
  if (methods.every((method) => typeof propertyOf(got, method) === "function")) return;
  throw new GradstepError(`${caller}: got ${show(got)} as ${what}; expected ${expected}.`, {
    code,
  });
}
