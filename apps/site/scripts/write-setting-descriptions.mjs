// Writes src/generated/setting-descriptions.json: what hyperparameters and options mean, by their names. Core has these
// sentences as comments of a type, for editors; pages show the same ones.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

const declarations = new URL(
  "rule/setting-descriptions.d.ts",
  import.meta.resolve("@gradstep/core"),
);
const comments = readFileSync(declarations, "utf8").matchAll(
  /\/\*\*((?:(?!\*\/).)*)\*\/\s+readonly (\w+): unknown;/gs,
);
const descriptions = Object.fromEntries(
  [...comments].map(([, comment = "", name = ""]) => [
    name,
    comment.replaceAll(/\s*\n\s*\* ?/g, " ").trim(),
  ]),
);
const folder = new URL("../src/generated/", import.meta.url);
mkdirSync(folder, { recursive: true });
writeFileSync(
  new URL("setting-descriptions.json", folder),
  `${JSON.stringify(descriptions, null, 2)}\n`,
);
