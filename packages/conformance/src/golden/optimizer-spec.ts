import {
  GradstepError,
  hasNames,
  show,
  type GroupOptions,
  type MatchedParameter,
  type OptimizerSpec,
} from "@gradstep/core";
import { fromKeras, fromOptax, fromTorch } from "@gradstep/core/interop";
import type { GoldenCase, Library } from "./golden-file.js";

/**
 * The optimizer of a golden case, through the bridge from its library.
 * @throws {GradstepError} what the bridge throws: `UNSUPPORTED` for optimizers and options without counterpart;
 * `INVALID_FILE` for what is no library or no case
 */
export function goldenSpec(
  library: Library,
  goldenCase: GoldenCase,
): { readonly spec: OptimizerSpec; readonly groups: readonly GroupOptions[] } {
  if (!hasNames(goldenCase))
    throw invalid(
      `${show(goldenCase)} as a golden case`,
      "one of the cases that parseGolden returns",
    );
  const { optimizer, config, note } = goldenCase;
  switch (library) {
    case "keras":
      return {
        spec: fromKeras({ class_name: optimizer, config }),
        groups: excludedFromDecay(note),
      };
    case "torch":
      return { spec: fromTorch(optimizer, config), groups: [] };
    case "optax":
      return { spec: fromOptax(optimizer, config), groups: [] };
    default:
      throw invalid(`${show(library)} as a library`, '"keras", "torch" or "optax"');
  }
}

function invalid(got: string, expected: string): GradstepError {
  return new GradstepError(`Got ${got}; expected ${expected}.`, { code: "INVALID_FILE" });
}

/** `exclude_from_weight_decay(var_names=["bias"])`: Keras searches each pattern in the variable's own name. */
function excludedFromDecay(note = ""): readonly GroupOptions[] {
  const list = /exclude_from_weight_decay\(var_names=(\[.*?\])\)/.exec(note)?.[1];
  if (list === undefined) return [];
  const patterns = (JSON.parse(list.replaceAll("'", '"')) as string[]).map(
    (one) => new RegExp(one),
  );
  return [
    {
      match: ({ name }: MatchedParameter) => patterns.some((one) => one.test(kerasName(name))),
      weightDecay: 0,
    },
  ];
}

/** Keras's variables have `_` for `/`. */
export function kerasName(name: string): string {
  return name.replaceAll("/", "_");
}
