/** A column of a table that is printed row by row. */
export interface Column<Row> {
  /** Printed above the name. Neighbors with the same group share it. */
  readonly group?: string;
  readonly name: string;
  /** Characters, without the space before the column. */
  readonly width: number;
  /** Where there is no room for all columns, those with the highest number are left out first. */
  readonly rank: number;
  readonly align?: "left";
  readonly cell: (row: Row) => string;
}

const gap = 2;

/** As many of the columns as fit, in their order; the first always stays. */
export function fittingColumns<Row>(
  columns: readonly Column<Row>[],
  screenColumns: number,
): readonly Column<Row>[] {
  const kept = [...columns];
  const width = (): number => kept.reduce((sum, column) => sum + column.width + gap, 0);
  while (kept.length > 1 && width() > screenColumns) {
    const least = kept.reduce((worst, column) => (column.rank > worst.rank ? column : worst));
    kept.splice(kept.indexOf(least), 1);
  }
  return kept;
}

/** The lines above a table: the groups, if there are any, and the names of the columns. */
export function headingLines<Row>(columns: readonly Column<Row>[]): string[] {
  const names = columns.map((column) => pad(column.name, column)).join("");
  if (columns.every(({ group }) => group === undefined)) return [names.trimEnd()];
  let groups = "";
  for (let first = 0; first < columns.length;) {
    const { group = "" } = columns[first];
    let end = first + 1;
    while (group !== "" && columns[end]?.group === group) end += 1;
    const width = columns.slice(first, end).reduce((sum, column) => sum + column.width + gap, -gap);
    groups += " ".repeat(gap) + (end - first > 1 ? ruled(group, width) : group.padStart(width));
    first = end;
  }
  return [groups.trimEnd(), names.trimEnd()];
}

/** The name of a group in the middle of a line over its columns. */
function ruled(name: string, width: number): string {
  const line = "─".repeat(Math.max(1, Math.floor((width - name.length - 2) / 2)));
  return `${line} ${name} `.padEnd(width, "─");
}

/** A row's cells, each painted after it was padded. */
export function rowLine<Row>(
  columns: readonly Column<Row>[],
  row: Row,
  paint: (text: string, column: Column<Row>) => string = String,
): string {
  return columns
    .map((column) => paint(pad(column.cell(row), column), column))
    .join("")
    .trimEnd();
}

function pad(text: string, { width, align }: Pick<Column<never>, "width" | "align">): string {
  const space = " ".repeat(gap);
  return align === "left" ? space + text.padEnd(width) : space + text.padStart(width);
}
