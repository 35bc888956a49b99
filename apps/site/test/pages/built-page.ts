import { readdirSync, readFileSync } from "node:fs";
import { dist } from "./dist.js";

/** A tag of a page, with its attributes. */
export interface Tag {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
}

const tagPattern = /<([a-z][\w-]*)((?:\s+[^\s"'=<>/]+(?:="[^"]*")?)*)\s*\/?>/gi;
const attributePattern = /([^\s"'=<>/]+)(?:="([^"]*)")?/g;
const entities: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  "#39": "'",
};

const unescaped = (text: string): string =>
  text.replaceAll(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => entities[name]);

/** A page as it was built. */
export class BuiltPage {
  /** Its path in `dist`, such as `guide/rows.html`. */
  readonly path: string;
  readonly html: string;
  readonly tags: readonly Tag[];

  constructor(path: string) {
    this.path = path;
    this.html = readFileSync(dist + path, "utf8");
    this.tags = [...this.html.matchAll(tagPattern)].map(([, name, attributes]) => ({
      name: name.toLowerCase(),
      attributes: new Map(
        [...attributes.matchAll(attributePattern)].map(([, key, value = ""]) => [
          key,
          unescaped(value),
        ]),
      ),
    }));
  }

  /** All values of an attribute, such as the ids of the page. */
  valuesOf(attribute: string): readonly string[] {
    return this.tags.flatMap(({ attributes }) => attributes.get(attribute) ?? []);
  }

  /** The text of its parts with this tag, without the tags in them. */
  textsOf(name: string): readonly string[] {
    const parts = this.html.matchAll(new RegExp(`<${name}[\\s>][\\s\\S]*?</${name}>`, "g"));
    return Array.from(parts, ([part]) =>
      unescaped(part.replaceAll(/<svg[\s\S]*?<\/svg>|<[^>]*>/g, ""))
        .replaceAll("\u200b", "")
        .trim(),
    );
  }
}

/** All pages of the built site. */
export const builtPages: readonly BuiltPage[] = readdirSync(dist, {
  recursive: true,
  encoding: "utf8",
})
  .map((path) => path.replaceAll("\\", "/"))
  .filter((path) => path.endsWith(".html"))
  .sort()
  .map((path) => new BuiltPage(path));
