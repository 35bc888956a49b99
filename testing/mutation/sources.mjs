import { readdirSync } from "node:fs";

/** The packages that are mutated. */
export const packages = ["core", "cpu-js", "wasm"];

/** The files of a package that are mutated. */
export function sourcesOf(name) {
  const folder = `packages/${name}/src`;
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => file.endsWith(".ts") && !file.startsWith("generated/"))
    .map((file) => `${folder}/${file}`);
}
