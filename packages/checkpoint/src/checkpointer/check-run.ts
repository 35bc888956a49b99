import { GradstepError, list, show, type ErrorCode } from "@gradstep/core";
import type { CheckpointStore } from "../stores/store.js";
import type { CheckpointedRun } from "./checkpointed-run.js";

/** @throws {GradstepError} `INVALID_PARAMETER` or `INVALID_HYPERPARAMETER` for what lacks a method that is needed */
export function checkRun(
  { optimizer, parameters, others }: CheckpointedRun,
  store: CheckpointStore,
): void {
  checkMethods(
    "the optimizer",
    optimizer,
    ["state", "restore"],
    "what createOptimizer, or a function of @gradstep/tfjs, returns",
  );
  const isTable =
    parameters !== null && typeof parameters === "object" && !(Symbol.iterator in parameters);
  if (!isTable || "getWeights" in parameters)
    throw new GradstepError(
      `checkpointer: got ${show(parameters)} as the parameters; expected tensors by name, such as { weights }, or tfParameters(model) for a model of TensorFlow.js.`,
      { code: "INVALID_PARAMETER" },
    );
  for (const [name, one] of Object.entries(parameters))
    checkMethods(
      `the parameter ${show(name)}`,
      one,
      ["read", "write"],
      "a tensor, such as backend.tensor(shape, values)",
      "INVALID_PARAMETER",
    );
  checkParameterNames({ optimizer, parameters });
  if (others === null || typeof others !== "object" || Symbol.iterator in others)
    throw new GradstepError(
      `checkpointer: got ${show(others)} as others; expected objects with state and restore by name, such as { plateau }.`,
      { code: "INVALID_HYPERPARAMETER" },
    );
  for (const [name, one] of Object.entries(others))
    checkMethods(`others.${name}`, one, ["state", "restore"], "an object with state and restore");
  checkStore("checkpointer", store);
}

/** @param what the function that got it, as the message begins @throws {GradstepError} `INVALID_HYPERPARAMETER` */
export function checkStore(what: string, store: unknown): void {
  checkMethods(
    "the store",
    store,
    ["list", "write", "open", "remove"],
    "a store, such as fileStore(path) or memoryStore()",
    "INVALID_HYPERPARAMETER",
    what,
  );
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

function checkMethods(
  what: string,
  got: unknown,
  methods: readonly string[],
  expected: string,
  code: ErrorCode = "INVALID_HYPERPARAMETER",
  caller = "checkpointer",
): void {
  const object = Object(got) as Readonly<Record<string, unknown>>;
  if (methods.every((method) => typeof object[method] === "function")) return;
  throw new GradstepError(`${caller}: got ${show(got)} as ${what}; expected ${expected}.`, {
    code,
  });
}
