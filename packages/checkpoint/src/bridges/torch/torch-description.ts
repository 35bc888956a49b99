import { GradstepError, show } from "@gradstep/core";
import type { TorchScheduler } from "@gradstep/core/interop";
import { isJsonObject, jsonObjectOf } from "../metadata.js";

/** The JSON under `optimizer` in the metadata of a file, which `torch_checkpoint.py` reads and writes. */
export interface TorchDescription {
  readonly version: 1;
  /** The class in `torch.optim`. */
  readonly class: string;
  /** As in PyTorch, with the names that the parameters have in the model. */
  readonly param_groups: readonly TorchParameterGroup[];
  /** Names of the parameters that do not require gradients. */
  readonly frozen: readonly string[];
  readonly scheduler: TorchScheduler | null;
  /** The steps of the scheduler; null without one. */
  readonly last_epoch: number | null;
}

export interface TorchParameterGroup {
  readonly param_names: readonly string[];
  readonly [option: string]: unknown;
}

const script = "scripts/bridges/torch_checkpoint.py";

/** @throws {GradstepError} `INVALID_FILE` */
export function invalid(what: string): never {
  throw new GradstepError(`The file of PyTorch is not valid: ${what}.`, { code: "INVALID_FILE" });
}

/** @throws {GradstepError} `INVALID_FILE`, and `UNSUPPORTED` for another version */
export function parseDescription(text: string | undefined): TorchDescription {
  if (text === undefined) {
    throw new GradstepError(
      `The safetensors file has no optimizer in its metadata; expected a file that save() of ${script} has written.`,
      { code: "INVALID_FILE" },
    );
  }
  const parsed = jsonObjectOf("optimizer", text, "what save() writes");
  const { version, class: name, param_groups: groups, frozen } = parsed;
  const { scheduler = null, last_epoch: position = null } = parsed;
  if (version !== 1) {
    throw new GradstepError(
      `The file of PyTorch has version ${show(version)}; expected 1. Save it with the ${script} of this release.`,
      { code: "UNSUPPORTED" },
    );
  }
  if (typeof name !== "string") invalid(`class is ${show(name)}; expected a name`);
  if (!Array.isArray(groups) || groups.length === 0 || !groups.every(isGroup))
    invalid(
      `param_groups is ${show(groups)}; expected a list of objects with param_names and options`,
    );
  if (!isNames(frozen)) invalid(`frozen is ${show(frozen)}; expected a list of names`);
  const isScheduled = isJsonObject(scheduler) && typeof scheduler.name === "string";
  if (scheduler !== null && !isScheduled)
    invalid(`scheduler is ${show(scheduler)}; expected null or an object with a name`);
  const isPosition = isScheduled ? isCount(position) : position === null;
  if (!isPosition)
    invalid(
      `last_epoch is ${show(position)}; expected ${isScheduled ? "a number of steps" : "null"}`,
    );
  return {
    version,
    class: name,
    param_groups: groups,
    frozen,
    scheduler: scheduler as TorchScheduler | null,
    last_epoch: position as number | null,
  };
}

export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

function isGroup(value: unknown): value is TorchParameterGroup {
  return isJsonObject(value) && isNames(value.param_names);
}
