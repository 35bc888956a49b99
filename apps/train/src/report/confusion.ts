import type { Evaluation } from "../evaluation.js";
import { percent } from "../terminal/figures.js";

/** The confusion matrix as an HTML table: a row for each digit, a column for what it was taken for. */
export function confusionTable({ confusion }: Evaluation): string {
  const most = Math.max(
    1,
    ...confusion.flatMap((row, label) => row.filter((_, predicted) => predicted !== label)),
  );
  const digits = confusion.map((_, digit) => `<th scope="col">${digit}</th>`).join("");
  const rows = confusion.map((row, label) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    const cells = row.map((count, predicted) =>
      cell(count, label, predicted, predicted === label ? total : most),
    );
    return `<tr><th scope="row">${label}</th>${cells.join("")}<td class="share">${percent(row[label] / total)}</td></tr>`;
  });
  return `<table class="confusion">
<thead><tr><th></th>${digits}<th scope="col" class="share">right</th></tr></thead>
<tbody>
${rows.join("\n")}
</tbody>
</table>`;
}

function cell(count: number, label: number, predicted: number, full: number): string {
  if (count === 0) return "<td></td>";
  const kind = label === predicted ? "right" : "wrong";
  const title = `${count} × ${label} taken for ${predicted}`;
  return `<td class="${kind}" style="--share: ${Math.round((count / full) * 100)}%" title="${title}">${count}</td>`;
}
