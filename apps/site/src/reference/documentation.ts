import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Where core's declarations are. */
const declarations = new URL(".", import.meta.resolve("@gradstep/core"));

/**
 * What the source of core says of an exported function or constant, as Markdown: its doc comment, without tags.
 * @param file below `dist`, such as `rules/adam.d.ts`
 */
export function documentationOf(file: string, name: string): string {
  const text = readFileSync(fileURLToPath(new URL(file, declarations)), "utf8");
  const pattern = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*export declare (?:const|function) (\w+)/g;
  const found = [...text.matchAll(pattern)].find((match) => match[2] === name);
  if (found === undefined) throw new Error(`${file} has no documented ${name}.`);
  const lines = found[1].split("\n").map((line) => line.replace(/^\s*\* ?/, "").trimEnd());
  const tag = lines.findIndex((line) => line.startsWith("@"));
  return escaped(
    lines
      .slice(0, tag < 0 ? undefined : tag)
      .join("\n")
      .trim(),
  );
}

/** The files of declarations in a folder of core's `dist`, such as `schedules/`. */
export function declarationFiles(folder: string): readonly string[] {
  return readdirSync(fileURLToPath(new URL(folder, declarations))).filter((name) =>
    name.endsWith(".d.ts"),
  );
}

/** Whether a file declares a function, rather than exporting that of another file. */
export function declares(file: string, name: string): boolean {
  const text = readFileSync(fileURLToPath(new URL(file, declarations)), "utf8");
  return text.includes(`export declare function ${name}(`);
}

/** The names of the parameters of a function that core exports. */
export function parametersOf(file: string, name: string): readonly string[] {
  const text = readFileSync(fileURLToPath(new URL(file, declarations)), "utf8");
  const [, list] = new RegExp(`export declare function ${name}\\(([^)]*)\\)`).exec(text) ?? [];
  if (list === undefined) throw new Error(`${file} has no function ${name}.`);
  return [...list.matchAll(/(\w+)\??:/g)].map((match) => match[1]);
}

/** With characters that HTML and Vue would read, outside of code, as text. */
export function escaped(markdown: string): string {
  return markdown
    .split(/(`[^`]*`)/)
    .map((part) =>
      part.startsWith("`") ? part : part.replaceAll("<", "&lt;").replaceAll("{{", "&#123;&#123;"),
    )
    .join("");
}
