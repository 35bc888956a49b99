// Writes dist/rules/: one module for each built-in rule, for hosts that compile wasm only ahead of time.
import { mkdirSync, writeFileSync } from "node:fs";
import { rules } from "@gradstep/core/rules";
import { kernelModule } from "../src/codegen/kernel-module.js";

const folder = new URL("../dist/rules/", import.meta.url);
mkdirSync(folder, { recursive: true });
// What such a file is where it is imported: hosts and bundlers that can do that make a module of it.
writeFileSync(
  new URL("module.d.ts", folder),
  "declare const module: WebAssembly.Module;\nexport default module;\n",
);
for (const rule of rules)
  writeFileSync(new URL(`${rule.name}.wasm`, folder), kernelModule(rule.variants()));
