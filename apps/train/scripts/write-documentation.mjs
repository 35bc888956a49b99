// Writes src/generated/documentation.json: what the comments in core say of each rule, stage and schedule, by the name of
// its function. `summary` is the first sentence, which names the paper; `parameters` are those of a function.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as core from "@gradstep/core";

const types = dirname(fileURLToPath(import.meta.resolve("@gradstep/core")));
const documentation = ["rules", "stages", "schedules"]
  .flatMap((folder) => readdirSync(join(types, folder)).map((file) => join(types, folder, file)))
  .filter((file) => file.endsWith(".d.ts"))
  .flatMap((file) => documentationIn(readFileSync(file, "utf8")))
  .filter(([name]) => Object.hasOwn(core, name))
  .sort(([a], [b]) => (a < b ? -1 : 1));
const folder = new URL("../src/generated/", import.meta.url);
mkdirSync(folder, { recursive: true });
writeFileSync(
  new URL("documentation.json", folder),
  `${JSON.stringify(Object.fromEntries(documentation), undefined, 2)}\n`,
);

/**
 * @param {string} source Declarations as TypeScript writes them.
 * @returns {[name: string, { summary: string, parameters: string[] }][]}
 */
function documentationIn(source) {
  const declarations = source.matchAll(
    /\/\*\*((?:(?!\*\/)[^])*)\*\/\s*export declare (?:const|function) (\w+)(?:\((.*)\): Schedule)?/g,
  );
  return [...declarations].map(([, comment, name, parameters]) => [
    name,
    { summary: firstSentence(comment), parameters: parametersOf(parameters, source) },
  ]);
}

/** @param {string} comment Its inner text, with an asterisk in front of each line. */
function firstSentence(comment) {
  const text = comment.replaceAll(/^\s*\* ?/gm, "").trim();
  const [paragraph] = text.split(/\n\s*\n|\s@/);
  // "et al. 2020" goes on with a digit.
  const [sentence] = paragraph.replaceAll(/\s+/g, " ").split(/(?<=\.)\s+(?=[A-Z`])/);
  return sentence.trim();
}

/**
 * The names of parameters; for options, those of the options, with their defaults.
 *
 * @param {string | undefined} parameters
 * @param {string} source
 */
function parametersOf(parameters = "", source) {
  return [...parameters.matchAll(/(\.{3})?(\w+)\??: (\w*)/g)].map(([, rest = "", name, type]) => {
    const body = new RegExp(`interface ${type} {([^}]*)}`).exec(source)?.[1];
    if (body === undefined) return `${rest}${name}`;
    const options = body.matchAll(/(?:\/\*\*((?:(?!\*\/)[^])*)\*\/\s*)?readonly (\w+)/g);
    const named = [...options].map(([, comment = "", option]) => {
      const fallback = /(\S+) if left out/.exec(comment.replaceAll("`", ""))?.[1];
      return fallback === undefined ? option : `${option}=${fallback.toLowerCase()}`;
    });
    return `{ ${named.join(", ")} }`;
  });
}
