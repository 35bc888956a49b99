import {
  GradstepError,
  show,
  variantOf,
  type OptimizerSpec,
  type Rule,
  type Variant,
} from "@gradstep/core";
import { checkOptions, checkRule, isArray, isSpec, isVariant } from "@gradstep/core/internal";
import { moduleOfVariants } from "./codegen/kernel-module.js";

/** Options of `kernelModule`. */
export interface KernelModuleOptions {
  /** Whether the module imports shared memory. False if left out. */
  readonly shared?: boolean | undefined;
}

/**
 * Compiles a rule to the bytes of a wasm module, for `wasm({ modules })` on hosts that forbid compiling at run time.
 *
 * @param source what `defineRule` returned, some variants of a rule, or a spec, such as `chain(…)` returns: then only the
 * variant that the spec selects is compiled
 * @throws {GradstepError} `INVALID_RULE`, `UNKNOWN_OPTION`
 */
export function kernelModule(
  source: Rule | OptimizerSpec | readonly Variant[],
  options: KernelModuleOptions = {},
): Uint8Array<ArrayBuffer> {
  checkOptions("kernelModule", options, ["shared"]);
  return moduleOfVariants(variantsOf(source), options);
}

function variantsOf(source: Rule | OptimizerSpec | readonly Variant[]): readonly Variant[] {
  if (!isArray(source)) {
    if (isSpec(source)) {
      checkRule("kernelModule", source.rule);
      return [variantOf(source)];
    }
    checkRule("kernelModule", source);
    return source.variants();
  }
  if (!source.every(isVariant)) {
    throw new GradstepError(
      `kernelModule: got ${show(source)}; expected a rule, or a list of its variants.`,
      { code: "INVALID_RULE" },
    );
  }
  return source;
}
