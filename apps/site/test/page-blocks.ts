import { readFileSync } from "node:fs";
import { join } from "node:path";
import { content } from "./pages-by-hand.js";

/** What a reader does with a block of a page: types commands, writes a file, or compares what is printed. */
export type Block =
  | { readonly kind: "commands"; readonly text: string }
  | { readonly kind: "file"; readonly path: string; readonly text: string }
  | { readonly kind: "output"; readonly text: string };

/**
 * The blocks of a page, in their order: those in `sh` are commands, those with a title in brackets files, those in
 * `text` output. All others are left out.
 */
export function blocksOf(page: string): Block[] {
  const source = readFileSync(join(content, page), "utf8");
  const blocks = source.matchAll(/^```(\w+)(?: \[([^\]]+)\])?\n([\s\S]*?)^```/gm);
  return [...blocks].flatMap(([, language, path, text = ""]): Block[] => {
    if (path !== undefined) return [{ kind: "file", path, text }];
    if (language === "sh") return [{ kind: "commands", text }];
    return language === "text" ? [{ kind: "output", text: text.trim() }] : [];
  });
}
