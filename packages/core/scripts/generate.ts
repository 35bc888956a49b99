// Writes src/generated/: the built-in rules as code, for bundles that parse no text.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { rules } from "../src/rules/index.js";
import { compileRule } from "./compile-rule.js";

const folder = new URL("../src/generated/", import.meta.url);
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });

for (const rule of rules) {
  const source = `// Generated from src/rules/${rule.name}.ts; do not edit.
import { leanRule } from "../lean/rule.js";

export const ${rule.name} = ${compileRule(rule)};
`;
  writeFileSync(new URL(`${rule.name}.ts`, folder), source);
}
const exported = rules.map(({ name }) => `export { ${name} } from "./${name}.js";`);
writeFileSync(new URL("index.ts", folder), `// Generated; do not edit.\n${exported.join("\n")}\n`);
