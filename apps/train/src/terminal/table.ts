/** Lines up the cells of each column, the first to the left and the others to the right; the first row is the heading. */
export function alignColumns(rows: readonly (readonly string[])[], gap: number = 3): string[] {
  const widths = rows[0].map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]),
      )
      .join(" ".repeat(gap))
      .trimEnd(),
  );
}
