import { checkOptions, checkRule, type Rule, type Variant } from "@gradstep/core";
import { emitJs } from "./emit-js.js";

/** Options of `generate`. */
export interface GenerateOptions {
  /** Kernels for `cpuJs({ exact: true })`. False if left out. */
  readonly exact?: boolean;
  /** The variants to compile. All variants of the rule if left out. */
  readonly variants?: readonly Variant[];
  /**
   * Writes TypeScript, with `KernelTable` imported from this module, such as `"@gradstep/cpu-js"`. JavaScript if left out.
   */
  readonly types?: string;
}

/**
 * The source of a module that exports a rule's kernels: `export const signumKernels = { … }`.
 *
 * For a build script: the kernels become code that an engine compiles, without `eval`, and `cpuJs({ kernels: [signumKernels] })`
 * uses them. Without them, `cpuJs()` interprets rules that are not built in.
 *
 * @param rule what `defineRule` returned, or its `rule`.
 * @throws {GradstepError} `INVALID_RULE`, `UNKNOWN_OPTION`
 */
export function generate(rule: Rule, options: GenerateOptions = {}): string {
  checkRule("generate", rule);
  checkOptions("generate", options, ["exact", "variants", "types"]);
  const { exact = false, variants = rule.variants(), types } = options;
  const kernels = variants.map(
    (variant) => `    "${variant.perElement.fingerprint}": ${emitJs(variant, { exact })},`,
  );
  const used = ["abs", "fround", "max", "min", "sign", "sqrt"].filter((name) =>
    kernels.some((source) => source.includes(`${name}(`)),
  );
  const annotation = types === undefined ? "" : ": KernelTable";
  return [
    `// Generated from the rule "${rule.name}"; do not edit.`,
    ...(types === undefined ? [] : [`import type { KernelTable } from "${types}";`]),
    "",
    `const { ${used.join(", ")} } = Math;`,
    "",
    `export const ${tableName(rule)}${annotation} = {`,
    `  exact: ${exact},`,
    "  kernels: {",
    ...kernels,
    "  },",
    "};",
    "",
  ].join("\n");
}

/** The name under which a rule's table is exported: `schedule-free` → `scheduleFreeKernels`. */
export function tableName({ name }: Rule): string {
  return `${name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())}Kernels`;
}
