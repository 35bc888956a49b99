import type { MarkdownRenderer } from "vitepress";

const highlighted = new Map<string, string>();

/** Keeps what code looks like with colors: a page is rendered for itself and for the search. */
export function highlightedOnce({ options }: MarkdownRenderer): void {
  const { highlight } = options;
  if (typeof highlight !== "function") return;
  options.highlight = (code, language, attributes) => {
    const key = JSON.stringify([code, language, attributes]);
    const known = highlighted.get(key) ?? highlight(code, language, attributes);
    highlighted.set(key, known);
    return known;
  };
}
