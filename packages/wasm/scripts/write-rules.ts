// Writes dist/rules/: one module per built-in rule, for hosts that forbid compiling wasm at run time.
import { mkdirSync, writeFileSync } from "node:fs";
import { gradientArithmetic } from "@gradstep/core";
import { rules } from "@gradstep/core/rules";
import { kernelModule } from "../src/rule-module.js";

const folder = new URL("../dist/rules/", import.meta.url);
mkdirSync(folder, { recursive: true });
// The type of an import of such a file, on hosts and bundlers that compile it.
writeFileSync(
  new URL("module.d.ts", folder),
  'import type { WasmModule } from "../index.js";\n\ndeclare const module: WasmModule;\nexport default module;\n',
);
for (const rule of rules) writeFileSync(new URL(`${rule.name}.wasm`, folder), kernelModule(rule));
writeFileSync(
  new URL(`${gradientArithmetic.name}.wasm`, folder),
  kernelModule(gradientArithmetic.variants()),
);
