import { GradstepError } from "../errors.js";
import { checkHyperparameter, type Hyperparameter } from "../rule/hyperparameter.js";
import type { Variant } from "../rule/variant.js";

/**
 * Writes what step `t` needs to `to`: the scalars in the order of the variant's, then the carry that it hands on. All
 * in f64, from hyperparameters and the carry that the step before handed on.
 */
export type PerStep = (
  hyperparameters: Readonly<Record<string, number>>,
  t: number,
  to: Float64Array,
  carry: Float64Array,
) => void;

/** A variant whose texts were compiled when this library was built: code for the host, and what names its kernel. */
export interface LeanVariant extends Pick<Variant, "label" | "slots" | "carry"> {
  /** How many a kernel receives. */
  readonly scalars: { readonly length: number };
  readonly perStep: PerStep;
  readonly perElement: { readonly fingerprint: string; readonly source: string };
}

/** A variant as the build writes it down. */
export interface CompiledVariant extends Pick<LeanVariant, "carry" | "scalars" | "perStep"> {
  /** The choices that differ from the defaults: options, and switches that are on. */
  readonly choices: Readonly<Record<string, boolean | string>>;
  readonly slots: Readonly<Record<string, number | string>>;
  readonly fingerprint: string;
}

/** A rule as the build writes it down. */
export interface CompiledRule<H extends string = string> {
  readonly name: string;
  readonly hyperparameters: Readonly<Record<H, Hyperparameter>>;
  /** The default of each option. */
  readonly options: Readonly<Record<string, boolean | string>>;
  /** Hyperparameters that must stay 0 in an optimizer that was made with 0. */
  readonly switches: readonly string[];
  readonly variants: readonly CompiledVariant[];
}

/** A rule with its settings. */
export interface LeanSpec<H extends string = string> {
  readonly rule: CompiledRule<H>;
  readonly hyperparameters: Readonly<Record<H, number>>;
  readonly options: Readonly<Record<string, boolean | string>>;
  readonly variant: LeanVariant;
}

/** A rule as it is used: `adam({ learningRate: 0.01 })`. */
export interface LeanRule<H extends string, O> {
  /** @throws {GradstepError} `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`, `UNSUPPORTED` (not compiled ahead) */
  (settings?: Partial<Readonly<Record<H, number>>> & Partial<O>): LeanSpec<H>;
  readonly rule: CompiledRule<H>;
}

/** A rule of what the build wrote down. `O` are the options that its variants know. */
export function leanRule<H extends string, O>(rule: CompiledRule<H>): LeanRule<H, O> {
  const { name, hyperparameters, options, switches, variants } = rule;
  const ranges: Readonly<Record<string, Hyperparameter>> = hyperparameters;
  const specify = (settings: Readonly<Record<string, unknown>> = {}): LeanSpec<H> => {
    const numbers: Record<string, number> = {};
    for (const [key, range] of Object.entries(ranges)) numbers[key] = range.default;
    const choices: Record<string, unknown> = { ...options };
    for (const [key, value] of Object.entries(settings ?? {})) {
      if (value === undefined) continue;
      if (Object.hasOwn(ranges, key))
        numbers[key] = checkHyperparameter(name, key, value, ranges[key]);
      else if (Object.hasOwn(options, key)) choices[key] = value;
      else {
        throw new GradstepError(
          `${name} has no option "${key}"; it has ${Object.keys({ ...ranges, ...options }).join(", ")}.`,
          { code: "UNKNOWN_OPTION" },
        );
      }
    }
    const chosen = { ...choices };
    for (const key of switches) chosen[key] = numbers[key] !== 0;
    const found = variants.find((variant) =>
      Object.entries(chosen).every(
        ([key, value]) => value === (variant.choices[key] ?? options[key] ?? false),
      ),
    );
    if (found === undefined) {
      const others = Object.keys(chosen).filter((key) => chosen[key] !== (options[key] ?? false));
      throw new GradstepError(
        `${name} was not compiled for this ${others.join(" and ")}; import ${name} from @gradstep/core.`,
        { code: "UNSUPPORTED" },
      );
    }
    const { slots, fingerprint } = found;
    const variant = {
      ...found,
      label: name,
      slots: Object.entries(slots).map(([slot, initial]) => ({ name: slot, initial })),
      perElement: { fingerprint, source: name },
    };
    return {
      rule,
      hyperparameters: numbers as Record<H, number>,
      options: choices as LeanSpec["options"],
      variant,
    };
  };
  return Object.assign(specify as LeanRule<H, O>, { rule });
}
