import { type Column, columns } from "./step-results.js";

export type Cell =
  | { readonly mark: "✓"; readonly note?: string }
  | { readonly mark: "✗" | "—"; readonly reason: string };

/** A runtime and its cell in each column. */
export interface Row {
  readonly title: string;
  readonly cells: Readonly<Record<Column, Cell>>;
}

const titles: Readonly<Record<Column, string>> = {
  "cpu-js": "cpu-js",
  wasm: "wasm",
  threads: "wasm, 2 threads",
  webgpu: "webgpu",
  auto: "autoBackend()",
};

/** The table, and under it a line per cell that has a reason. */
export function tableText(rows: readonly Row[]): string {
  const lines = [["", ...columns.map((column) => titles[column])]];
  const reasons: string[] = [];
  for (const { title, cells } of rows) {
    lines.push([
      title,
      ...columns.map((column) => {
        const cell = cells[column];
        if (cell.mark === "✓") return `✓ ${cell.note ?? ""}`.trim();
        reasons.push(`${cell.mark} ${title}, ${titles[column]}: ${cell.reason}`);
        return cell.mark;
      }),
    ]);
  }
  const widths = lines[0].map((_, i) => Math.max(...lines.map((line) => line[i].length)));
  const text = lines.map((line) =>
    line
      .map((cell, i) => cell.padEnd(widths[i]))
      .join("  ")
      .trimEnd(),
  );
  return [...text, ...(reasons.length > 0 ? ["", ...new Set(reasons)] : [])].join("\n");
}
