import { readdirSync, readFileSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { fileURLToPath } from "node:url";

const shared = fileURLToPath(new URL(".", import.meta.url));

/**
 * The test files of a package that a level leaves out, as patterns for vitest's `exclude`. `quick` leaves out slow files;
 * `rest` leaves out what `quick` has run in the same way: files that neither are slow nor import, directly or through
 * others, `testing/cases.ts`, where tests ask for the level.
 *
 * @param folder the folder of the package
 */
export function leftOutFiles(level: string, folder: string): readonly string[] {
  if (level === "quick") return ["**/*.full.test.ts"];
  if (level !== "rest") return [];
  const tests = modulesIn(join(folder, "test"));
  const dependent = dependentModules([...modulesIn(shared), ...tests], "cases");
  return tests
    .filter((path) => path.endsWith(".test.ts") && !path.endsWith(".full.test.ts"))
    .filter((path) => !dependent.has(moduleName(path)))
    .map((path) => path.slice(folder.length + 1));
}

/** The names of modules that import one, and of modules that import those. */
function dependentModules(paths: readonly string[], name: string): ReadonlySet<string> {
  const modules = paths.map((path) => ({
    name: moduleName(path),
    imports: Array.from(
      readFileSync(path, "utf8").matchAll(/(?:from|import) "\.[^"]*"/g),
      ([text]) => moduleName(text.slice(0, -1)),
    ),
  }));
  const found = new Set([name]);
  for (let before = 0; before < found.size;) {
    before = found.size;
    for (const module of modules)
      if (module.imports.some((imported) => found.has(imported))) found.add(module.name);
  }
  return found;
}

function modulesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => /\.m?ts$/.test(path))
    .map((path) => join(folder, path));
}

/** Modules of the same name in different folders count as one: a file too many runs, and none too few. */
function moduleName(path: string): string {
  return basename(path, extname(path));
}
