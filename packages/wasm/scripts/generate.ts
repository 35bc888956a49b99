// Writes src/generated/: for each built-in rule, the kernels of the variants that @gradstep/core/lean has.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import * as lean from "@gradstep/core/lean";
import { rules } from "@gradstep/core/rules";
import { kernelModule } from "../src/kernel-module.js";

const folder = new URL("../src/generated/", import.meta.url);
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });

const compiled: Readonly<Record<string, unknown>> = lean;
for (const rule of rules) {
  const { name } = rule;
  const { variants } = (compiled[name] as lean.LeanRule<string, object>).rule;
  const known = new Set(variants.map(({ fingerprint }) => fingerprint));
  const kernels = rule.variants().filter(({ perElement }) => known.has(perElement.fingerprint));
  const hex = Buffer.from(kernelModule(kernels, { small: true })).toString("hex");
  const source = `// Generated; do not edit.
import { embedded } from "../lean/embedded.js";

/** The kernels of ${name} of @gradstep/core/lean, compiled. */
export function ${name}Kernels(): WebAssembly.Module {
  return embedded("${hex}");
}
`;
  writeFileSync(new URL(`${name}.ts`, folder), source);
}
const exported = rules.map(({ name }) => `export { ${name}Kernels } from "./${name}.js";`);
writeFileSync(new URL("index.ts", folder), `// Generated; do not edit.\n${exported.join("\n")}\n`);
