// Writes src/generated/: the built-in rules as data, for bundles that parse no text.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import type { Rule } from "../src/rule/spec.js";
import { compileRule } from "../src/rule/compile-rule.js";
import { rules } from "../src/rules/index.js";

const folder = new URL("../src/generated/", import.meta.url);
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });

function moduleOf(rule: Rule): string {
  return `// Generated from src/rules/${rule.name}.ts; do not edit.
import { compiledRule } from "../rule/compiled-rule.js";

export const ${rule.name} = /* @__PURE__ */ compiledRule(${JSON.stringify(compileRule(rule), null, 2)});
`;
}

for (const rule of rules) writeFileSync(new URL(`${rule.name}.ts`, folder), moduleOf(rule));
writeFileSync(
  new URL("index.ts", folder),
  `// Generated; do not edit.
${rules.map(({ name }) => `export { ${name} } from "./${name}.js";`).join("\n")}
`,
);
