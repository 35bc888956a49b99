import {
  GradstepError,
  show,
  variantOf,
  type MapPass,
  type OptimizerSpec,
  type Rule,
  type Variant,
} from "@gradstep/core";
import {
  checkOptions,
  checkRule,
  checkSwitch,
  isArray,
  isSpec,
  isVariant,
} from "@gradstep/core/internal";
import { isOneLoop } from "./passes/array-names.js";
import { emitJs } from "./codegen/emit-js.js";
import { emitPass } from "./codegen/emit-pass.js";
import { tableName } from "./codegen/table-name.js";

/** A rule, or something else that is made of variants. */
export type VariantSource = Pick<Rule, "name" | "variants">;

/** Options of `generate`. */
export interface GenerateOptions {
  /** Kernels for `cpuJs({ exact: true })`. False if left out. */
  readonly exact?: boolean | undefined;
  /** The variants to compile. If left out: all variants of a rule, the one variant of a spec. */
  readonly variants?: readonly Variant[] | undefined;
  /**
   * Writes TypeScript, with `KernelTable` imported from this module, such as `"@gradstep/cpu-js"`. JavaScript if left out.
   */
  readonly types?: string | undefined;
}

/**
 * The source of a module that exports a rule's kernels: `export const signumKernels = { … }`.
 *
 * For a build script: the kernels become code that an engine compiles, without `eval`, and `cpuJs({ kernels: [signumKernels] })`
 * uses them. Without them, `cpuJs()` interprets rules that are not built in.
 *
 * @param source a rule, which is what `defineRule` returned, or its `rule`; a stage on `g` or `p`; or a spec, such as
 * `chain(…)` returns: then only the variant that the spec selects is compiled, the whole chain as one kernel.
 * @throws {GradstepError} `INVALID_RULE`, `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`
 */
export function generate(
  source: VariantSource | OptimizerSpec,
  options: GenerateOptions = {},
): string {
  const spec = isSpec(source) ? source : undefined;
  const rule = spec?.rule ?? source;
  checkRule("generate", rule);
  checkOptions("generate", options, ["exact", "variants", "types"]);
  const { exact = false, types } = options;
  checkSwitch("generate", "exact", exact);
  if (types !== undefined && typeof types !== "string")
    throw new GradstepError(
      `generate: types is ${show(types)}; expected the module with the types, such as "@gradstep/cpu-js".`,
      { code: "INVALID_HYPERPARAMETER" },
    );
  const variants = options.variants ?? (spec === undefined ? rule.variants() : [variantOf(spec)]);
  if (!isArray(variants) || !variants.every(isVariant))
    throw new GradstepError(
      `generate: variants is ${show(variants)}; expected a list of variants, such as [variantOf(adam())].`,
      { code: "INVALID_RULE" },
    );
  const all = distinct(variants);
  const emitOptions = { exact };
  const shared = sharedPasses(all, emitOptions);
  const declarations = [...shared.values()].map(
    ({ name, source: pass }) =>
      `const ${name}${types === undefined ? "" : ": PassFunction"} = ${pass};`,
  );
  const kernels = all.map((variant) => kernelSource(variant, shared, emitOptions));
  const used = ["abs", "floor", "fround", "max", "min", "sign", "sqrt"].filter((name) =>
    [...declarations, ...kernels].some((text) => new RegExp(`\\b${name}\\(`).test(text)),
  );
  const imported = declarations.length === 0 ? "KernelTable" : "KernelTable, PassFunction";
  const annotation = types === undefined ? "" : ": KernelTable";
  return [
    `// Generated from the rule "${rule.name}"; do not edit.`,
    ...(types === undefined ? [] : [`import type { ${imported} } from "${types}";`]),
    "",
    `const { ${used.join(", ")} } = Math;`,
    "",
    ...declarations.flatMap((declaration) => [declaration, ""]),
    `export const ${tableName(rule)}${annotation} = {`,
    `  exact: ${exact},`,
    "  kernels: {",
    ...kernels,
    "  },",
    "};",
    "",
  ].join("\n");
}

/** The variants and those that compute weights to evaluate with, once per program. */
function distinct(variants: readonly Variant[]): readonly Variant[] {
  const all = variants.flatMap((variant) =>
    variant.evaluation === undefined ? [variant] : [variant, variant.evaluation],
  );
  return [...new Map(all.map((one) => [one.perElement.fingerprint, one])).values()];
}

/** A function with a name in its module. */
interface NamedFunction {
  readonly name: string;
  readonly source: string;
}

/** The functions of passes that variants have in common, by their text without the name. */
type SharedPasses = ReadonlyMap<string, NamedFunction>;

function sharedPasses(
  variants: readonly Variant[],
  options: { readonly exact: boolean },
): SharedPasses {
  const first = new Map<string, string>();
  const shared = new Map<string, NamedFunction>();
  for (const variant of variants) {
    for (const pass of mapPassesOf(variant)) {
      const source = emitPass(variant, pass, options);
      const text = withoutName(source);
      const known = first.get(text);
      if (known === undefined) first.set(text, source);
      else shared.set(text, { name: /\w+(?=\()/.exec(known)![0], source: known });
    }
  }
  return shared;
}

function withoutName(source: string): string {
  return source.slice(source.indexOf("("));
}

/** The passes of a variant that become functions of their own. */
function mapPassesOf(variant: Variant): readonly MapPass[] {
  return variant.passPlan.passes.filter((pass): pass is MapPass => pass.kind === "map");
}

/** The entry of a variant in its table. @throws {GradstepError} `INVALID_RULE` */
function kernelSource(
  variant: Variant,
  shared: SharedPasses,
  options: { readonly exact: boolean },
): string {
  const { perElement, rule } = variant;
  if (perElement.outputs.some(({ name }) => name === "u")) {
    throw new GradstepError(
      `generate: ${rule} works on the update u, so it has no kernel of its own. Compile the chain that contains it: generate(chain(…)).`,
      { code: "INVALID_RULE" },
    );
  }
  if (isOneLoop(variant)) return `    "${perElement.fingerprint}": ${emitJs(variant, options)},`;
  const passes = mapPassesOf(variant).map((pass) => {
    const source = emitPass(variant, pass, options);
    const value = shared.get(withoutName(source))?.name ?? source;
    return `      "${pass.program.fingerprint}": ${value},`;
  });
  return [`    "${perElement.fingerprint}": {`, ...passes, "    },"].join("\n");
}
