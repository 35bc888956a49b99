// Writes src/generated/: one module of plain JavaScript for each built-in rule and mode.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { rules } from "@gradstep/core/rules";
import { generate } from "../src/generate.js";

const root = new URL("../src/generated/", import.meta.url);
rmSync(root, { recursive: true, force: true });

for (const exact of [false, true]) {
  const folder = new URL(exact ? "exact/" : "fast/", root);
  mkdirSync(folder, { recursive: true });
  const owners = new Map<string, string>();
  const exported = rules.map((rule) => {
    const fingerprints = rule.variants().map(({ perElement }) => perElement.fingerprint);
    // A rule that differs from another only in its defaults has the same kernels.
    const twin = owners.get(fingerprints.join());
    owners.set(fingerprints.join(), twin ?? rule.name);
    if (twin === undefined)
      writeFileSync(
        new URL(`${rule.name}.ts`, folder),
        generate(rule, { exact, types: "../../kernels.js" }),
      );
    return `export { ${twin ?? rule.name}${twin === undefined ? "" : ` as ${rule.name}`} } from "./${twin ?? rule.name}.js";`;
  });
  writeFileSync(
    new URL("index.ts", folder),
    `// Generated; do not edit.\n${exported.join("\n")}\n`,
  );
}
