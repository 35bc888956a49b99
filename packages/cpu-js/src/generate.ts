import type { Rule } from "@gradstep/core";
import { emitJs } from "./emit-js.js";

/**
 * A rule as the source of a TypeScript module that exports its kernels: `export const adamKernels: KernelTable = { … }`.
 *
 * For a build step: rules that are known then become code that an engine compiles, without `eval`; `cpuJs({ kernels })`
 * takes the table. Without it, a rule of your own goes through the interpreter.
 *
 * @param options.exact for `cpuJs({ exact: true })`.
 * @param options.types the module from which the type `KernelTable` is imported.
 */
export function generate(
  rule: Rule,
  options: { readonly exact: boolean; readonly types?: string },
): string {
  const { exact, types = "@gradstep/cpu-js" } = options;
  const kernels = rule
    .variants()
    .map((variant) => `    "${variant.perElement.fingerprint}": ${emitJs(variant, { exact })},`);
  const used = ["abs", "fround", "max", "min", "sign", "sqrt"].filter((name) =>
    kernels.some((source) => source.includes(`${name}(`)),
  );
  return [
    `// Generated from the rule "${rule.name}"; do not edit.`,
    `import type { KernelTable } from "${types}";`,
    "",
    `const { ${used.join(", ")} } = Math;`,
    "",
    `export const ${tableName(rule)}: KernelTable = {`,
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
