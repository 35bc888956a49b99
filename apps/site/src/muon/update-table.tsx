import { shortNumber } from "../number-text.js";
import type { PicturedMatrix } from "./picture.js";

interface UpdateTableProps {
  readonly gradient: PicturedMatrix;
  readonly muon: PicturedMatrix;
  readonly adam: PicturedMatrix;
}

/** Numbers of the gradient and of both updates. */
export function UpdateTable(matrices: UpdateTableProps) {
  const columns = [
    ["Gradient", matrices.gradient],
    ["Muon", matrices.muon],
    ["Adam", matrices.adam],
  ] as const;
  return (
    <div class="muon-table">
      <table aria-label="Singular values of the gradient and of both updates">
        <thead>
          <tr>
            <td />
            {columns.map(([title]) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {measures.map(([name, measure]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {columns.map(([title, matrix]) => (
                <td key={title}>{shortNumber(measure(matrix), 3)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const squares = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value * value, 0);

const measures: readonly (readonly [string, (matrix: PicturedMatrix) => number])[] = [
  ["Largest singular value", ({ singularValues }) => singularValues[0]],
  ["Smallest singular value", ({ singularValues }) => singularValues.at(-1)!],
  ["Largest over smallest", ({ singularValues }) => singularValues[0] / singularValues.at(-1)!],
  [
    "Stable rank, Σσ² / σ₁²",
    ({ singularValues }) => squares(singularValues) / singularValues[0] ** 2,
  ],
];
