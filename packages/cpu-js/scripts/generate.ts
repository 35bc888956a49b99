// Writes src/generated/: one module of kernels per mode and built-in rule or stage.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { gradientArithmetic, type Variant } from "@gradstep/core";
import { rules } from "@gradstep/core/rules";
import { stages } from "@gradstep/core/stages";
import { tableName } from "../src/codegen/table-name.js";
import { generate, type VariantSource } from "../src/generate.js";
import { compiledVariants } from "./compiled-variants.js";

const root = new URL("../src/generated/", import.meta.url);
rmSync(root, { recursive: true, force: true });

for (const exact of [false, true]) {
  const folder = new URL(exact ? "exact/" : "fast/", root);
  mkdirSync(folder, { recursive: true });
  const owners = new Map<string, VariantSource>();
  // Stages on the update have no kernels of their own.
  const onItsOwn = stages.filter(({ updated }) => updated !== "u");
  const compiled: readonly (readonly [VariantSource, readonly Variant[]])[] = [
    ...[...rules, ...onItsOwn].map((rule) => [rule, compiledVariants(rule)] as const),
    [gradientArithmetic, gradientArithmetic.variants()],
  ];
  const exported = compiled.map(([rule, variants]) => {
    const fingerprints = variants.map(({ perElement }) => perElement.fingerprint).join();
    // A rule that differs from another only in its defaults has the same kernels.
    const owner = owners.get(fingerprints) ?? rule;
    if (owner === rule) {
      owners.set(fingerprints, rule);
      const source = generate(rule, { exact, variants, types: "../../kernel-table.js" });
      writeFileSync(new URL(`${rule.name}.ts`, folder), source);
    }
    return `export { ${tableName(owner)} as ${tableName(rule)} } from "./${owner.name}.js";`;
  });
  writeFileSync(
    new URL("index.ts", folder),
    `// Generated; do not edit.\n${exported.join("\n")}\n`,
  );
}
