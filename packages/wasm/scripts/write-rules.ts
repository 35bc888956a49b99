// Writes dist/rules/: one module for each built-in rule, for hosts that compile wasm only ahead of time.
import { mkdirSync, writeFileSync } from "node:fs";
import { rules } from "@gradstep/core/rules";
import { kernelModule } from "../src/kernel-module.js";

const folder = new URL("../dist/rules/", import.meta.url);
mkdirSync(folder, { recursive: true });
for (const rule of rules)
  writeFileSync(new URL(`${rule.name}.wasm`, folder), kernelModule(rule.variants()));
