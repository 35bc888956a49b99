/** Colors text on a terminal, unless NO_COLOR is set. */
export interface Paint {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly strong: (text: string) => string;
}

/** @param stream where the text goes */
export function painter(stream: { isTTY?: boolean }): Paint {
  const isColored = stream.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== "dumb";
  const code =
    (start: number, end: number) =>
    (text: string): string =>
      isColored ? `\u001B[${start}m${text}\u001B[${end}m` : text;
  return { good: code(32, 39), bad: code(31, 39), dim: code(2, 22), strong: code(1, 22) };
}

/** One column of a table. */
export interface Column {
  readonly title: string;
  /** Numbers are aligned right. */
  readonly align?: "left" | "right";
}

/** The text of a cell, and its color. */
export type Cell = string | { readonly text: string; readonly paint: (text: string) => string };

/**
 * A table as lines of text, columns two spaces apart, or one where two do not fit. The last column is cut to the width of
 * the terminal; if it is text, and fewer than ten characters of it fit, it is left out.
 *
 * @param width of the terminal; Infinity if there is none
 */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  paint: Paint,
  width: number,
): string {
  const textOf = (cell: Cell | undefined): string =>
    typeof cell === "string" ? cell : (cell?.text ?? "");
  const widths = columns.map(({ title }, i) =>
    Math.max(title.length, ...rows.map((row) => textOf(row[i]).length)),
  );
  const last = columns.length - 1;
  const others = widths.slice(0, last).reduce((sum, one) => sum + one, 0);
  const gap = others + 2 * last > width ? 1 : 2;
  const rest = width - others - gap * last;
  const isOut = rest < 10 && columns[last].align !== "right";
  widths[last] = isOut ? 0 : Math.min(widths[last], Math.max(10, rest));
  const fit = (text: string, i: number): string => {
    if (widths[i] === 0) return "";
    const cut = text.length > widths[i] ? `${text.slice(0, widths[i] - 1)}…` : text;
    return columns[i].align === "right"
      ? cut.padStart(widths[i])
      : i < last
        ? cut.padEnd(widths[i])
        : cut;
  };
  const line = (cells: readonly Cell[]): string =>
    columns
      .map((_, i) => {
        const cell = cells[i] ?? "";
        const text = fit(textOf(cell), i);
        return typeof cell === "string" || text === "" ? text : cell.paint(text);
      })
      .join(" ".repeat(gap))
      .trimEnd();
  const head = columns.map(({ title }): Cell => ({ text: title, paint: paint.dim }));
  return [line(head), ...rows.map(line)].join("\n");
}

/** Columns of the terminal, or no limit. */
export function widthOf(stream: { columns?: number }): number {
  return stream.columns ?? Infinity;
}

/** An error as people read it: 3.7e-16; `–` where there is none. */
export function figure(value: number | null): string {
  if (value === null) return "–";
  if (value === 0 || !Number.isFinite(value)) return String(value);
  return value >= 0.01 && value < 1000 ? value.toFixed(3) : value.toExponential(1);
}

/** A figure after its name, in lines of at most `width` characters. */
export function namedFigure(name: string, text: string, width: number): string {
  const indent = 16;
  const lines = wrapped(text, Math.max(width - indent, 20));
  return name.padEnd(indent) + lines.join(`\n${" ".repeat(indent)}`);
}

/**
 * A line of text, in lines of at most `width` characters, broken between words. Colors count as nothing.
 *
 * @param indent of the lines after the first, in characters
 */
export function folded(text: string, width: number, indent: number): string {
  const lines = [""];
  for (const word of text.split(/(?<=\S)(?= )/)) {
    const line = lines[lines.length - 1];
    const isFull = line !== "" && visibleLength(line + word) > width;
    if (isFull) lines.push(" ".repeat(indent) + word.trimStart());
    else lines[lines.length - 1] = line + word;
  }
  return lines.join("\n");
}

function visibleLength(text: string): number {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/\u001B\[\d+m/g, "").length;
}

/** A text as lines of at most `width` characters, broken between words. Line breaks of the text are kept. */
export function wrapped(text: string, width: number): readonly string[] {
  return text.split("\n").flatMap((paragraph) => {
    const lines = [""];
    for (const word of paragraph.split(" ")) {
      const line = lines[lines.length - 1];
      if (line !== "" && line.length + 1 + word.length > width) lines.push(word);
      else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
    }
    return lines;
  });
}
