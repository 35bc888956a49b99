import { typeset } from "./typeset.js";

/** A table. Cells must not hold line breaks. */
export function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(titles), line(titles.map(() => "---")), ...rows.map(line)].join("\n");
}

/** A formula in a box of its own, which scrolls if it is wider than the page. @param label for screen readers */
export function formula(latex: string, label: string): string {
  return `<div class="formula" role="group" tabindex="0" aria-label="${label}">${typeset(latex, { display: true })}</div>`;
}

/** A formula within a line. */
export function inlineFormula(latex: string): string {
  return typeset(latex, { display: false });
}

/** Text with `$…$` as formulas within lines. */
export function withFormulas(text: string): string {
  return text.replaceAll(/\$([^$]+)\$/g, (_, latex: string) => inlineFormula(latex));
}

/** A value as code. */
export function code(value: unknown): string {
  return `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;
}

/** A table with a class for its style. */
export function styledTable(
  style: "summaries" | "arguments" | "calls",
  titles: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  return `<div class="${style}">\n\n${table(titles, rows)}\n\n</div>`;
}

/** A page with its title for the browser. Empty parts are left out. */
export function page(title: string, description: string, parts: readonly string[]): string {
  const head = `---\ntitle: ${JSON.stringify(title)}\ndescription: ${JSON.stringify(description)}\neditLink: false\nlastUpdated: false\n---`;
  return `${[head, ...parts.filter((part) => part !== "").map(withFormulas)].join("\n\n")}\n`;
}

/** A picture for light pages and one for dark ones. @param file without `-light.svg` */
export function picture(file: string, description: string): string {
  const image = (theme: string): string =>
    `<img class="${theme}-only" src="${file}-${theme}.svg" alt="${description}" loading="lazy">`;
  return image("light") + image("dark");
}
