import { variantOf, type OptimizerSpec, type Rule, type Variant } from "@gradstep/core";
import { fromKeras, fromOptax, fromTfjs, fromTorch } from "@gradstep/core/interop";

/** Every combination of these options: each is absent or has the value. */
function combinations(options: Readonly<Record<string, unknown>>): Record<string, unknown>[] {
  return Object.entries(options).reduce<Record<string, unknown>[]>(
    (all, [key, value]) => all.flatMap((one) => [one, { ...one, [key]: value }]),
    [{}],
  );
}

/** The specs of other libraries' optimizers that use another form of averages than gradstep's default. */
const specs: readonly OptimizerSpec[] = [
  ...["Adam", "AdamW"].flatMap((name) =>
    combinations({ amsgrad: true, maximize: true }).map((options) => fromTorch(name, options)),
  ),
  ...combinations({ decoupled_weight_decay: true }).map((options) => fromTorch("NAdam", options)),
  ...combinations({ centered: true, momentum: 0.9 }).flatMap((options) => [
    fromTorch("RMSprop", options),
    fromTfjs("rmsprop", options),
    fromOptax("rmsprop", options),
    fromOptax("rmsprop", { ...options, eps_in_sqrt: false }),
    fromKeras({ class_name: "RMSprop", config: options }),
  ]),
  fromTfjs("adam"),
  ...["adam", "nadam", "amsgrad"].flatMap((name) =>
    combinations({ eps_root: 1e-8 }).map((options) => fromOptax(name, options)),
  ),
  fromOptax("lion"),
  fromOptax("lamb"),
  fromOptax("schedule_free_adamw"),
];

/**
 * The variants of a built-in rule that become code: all with the rule's own form of averages, and those of other
 * libraries' optimizers. The rest is interpreted, which keeps bundles small.
 */
export function compiledVariants(rule: Rule): readonly Variant[] {
  const forms = rule.options.averageForm ?? [];
  const isOwn = (variant: Variant): boolean =>
    !forms.slice(1).some((form) => variant.label.includes(`averageForm=${form}`));
  const shared = new Set(specs.map((spec) => variantOf(spec).perElement.fingerprint));
  return rule
    .variants()
    .filter((variant) => isOwn(variant) || shared.has(variant.perElement.fingerprint));
}
