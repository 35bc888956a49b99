// Writes src/generated/: for each built-in rule, the kernels that @gradstep/core/lean has variants for.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import * as lean from "@gradstep/core/lean";
import { kernelModule } from "../src/kernel-module.js";

const folder = new URL("../src/generated/", import.meta.url);
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });

const names: string[] = [];
for (const [name, { rule }] of Object.entries(lean)) {
  names.push(name);
  const base64 = Buffer.from(kernelModule(rule.variants())).toString("base64");
  const source = `// Generated; do not edit.
import { embedded } from "../embedded.js";

/** The kernels of ${name} of @gradstep/core/lean, compiled. */
export function ${name}Kernels(): WebAssembly.Module {
  return embedded("${base64}");
}
`;
  writeFileSync(new URL(`${name}.ts`, folder), source);
}
const exported = names.map((name) => `export { ${name}Kernels } from "./${name}.js";`);
writeFileSync(new URL("index.ts", folder), `// Generated; do not edit.\n${exported.join("\n")}\n`);
