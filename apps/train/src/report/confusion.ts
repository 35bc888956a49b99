import { percent, type Evaluation } from "@gradstep/digits";

/** At or above this count, or the matrix's own maximum, a wrong cell has its full tint. */
const minFullTint = 10;

/** The confusion matrix as an HTML table: a row for each actual digit, a column for each predicted one. */
export function confusionTable({ confusion }: Evaluation): string {
  const wrongCounts = confusion.flatMap((row, actual) =>
    row.filter((_, predicted) => predicted !== actual),
  );
  const fullTint = Math.max(minFullTint, ...wrongCounts);
  const digits = confusion.map((_, digit) => `<th scope="col">${digit}</th>`).join("");
  const rows = confusion.map((row, actual) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    const cells = row.map((count, predicted) =>
      cell(count, predicted, actual, predicted === actual ? total : fullTint),
    );
    const axis =
      actual === 0
        ? `<th class="axis" scope="rowgroup" rowspan="${confusion.length}"><span>Actual</span></th>`
        : "";
    const accuracy = total === 0 ? "–" : percent(row[actual] / total, 1);
    return `<tr>${axis}<th scope="row">${actual}</th>${cells.join("")}<td class="correct-share">${accuracy}</td></tr>`;
  });
  return `<table class="confusion">
<colgroup><col class="axis"><col class="digit"><col span="${confusion.length}"><col class="correct-share"></colgroup>
<thead>
<tr><td colspan="2"></td><th class="axis" scope="colgroup" colspan="${confusion.length}">Predicted</th><td></td></tr>
<tr><td colspan="2"></td>${digits}<th scope="col" class="correct-share">correct</th></tr>
</thead>
<tbody>
${rows.join("\n")}
</tbody>
</table>`;
}

function cell(count: number, predicted: number, actual: number, full: number): string {
  if (count === 0) return "<td></td>";
  const kind = predicted === actual ? "right" : "wrong";
  const title = `predicted ${predicted}, actual ${actual}: ${count}`;
  return `<td class="${kind}" style="--tint: ${Math.round((count / full) * 100)}%" title="${title}">${count}</td>`;
}
