import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the pages. */
export const content = fileURLToPath(new URL("../content/", import.meta.url));

/** The pages that are written by hand, as paths in `content`. */
export const pagesByHand: readonly string[] = readdirSync(content, {
  recursive: true,
  encoding: "utf8",
})
  .filter((path) => path.endsWith(".md") && !path.startsWith("reference"))
  .map((path) => path.replaceAll("\\", "/"))
  .sort();

/** The path of a page in the repository. */
export const inRepository = (page: string): string => join("apps/site/content", page);
