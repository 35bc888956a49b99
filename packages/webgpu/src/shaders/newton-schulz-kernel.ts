import type { MatrixPass, Variant } from "@gradstep/core";
import { entryHeaderLength, firstArrayBinding, workgroupSize } from "./kernel-layout.js";
import { wgslName } from "./reserved-words.js";
import { literal } from "./wgsl-emitter.js";
import { entryPoint, tableAndScalars, typeDeclarations } from "./wgsl-fragments.js";

/** The dispatches of a Newton–Schulz iteration, in order. */
export const newtonSchulzStages = ["gram", "polynomial", "result"] as const;
export type NewtonSchulzStage = (typeof newtonSchulzStages)[number];

/** Rows and columns of the tile that a workgroup computes. */
export const productTile = 32;
/** Rows and columns that an invocation computes. */
const block = 4;
const blocksAcross = productTile / block;
/** Terms of the sums that are in workgroup memory at a time. */
const depth = 16;
const tileValues = productTile * depth;

/** Parameters of a matrix in the table, in words. The first four are positions in the array `matrices`. */
export const newtonSchulzParameters = [
  "x_start",
  "gram_start",
  "polynomial_start",
  "result_start",
  "rows",
  "columns",
] as const;

/** How a stage reads and writes `matrices`. `size` and `length` are the smaller and the larger side of X. */
interface Stage {
  readonly summary: string;
  readonly rows: string;
  readonly columns: string;
  readonly terms: string;
  /** Whether tiles below the diagonal are copies of those above. */
  readonly isSymmetric: boolean;
  /** Positions of the factors of a term: in row `line` of the left one, in column `line` of the right one. */
  readonly left: string;
  readonly right: string;
  /** Whether consecutive k are consecutive in memory. */
  readonly isLeftAlongK: string;
  readonly isRightAlongK: string;
  /** Where the result starts, and its value at `index`. */
  readonly target: string;
  readonly value: (a: string, b: string, c: string) => string;
}

const lineOfX = "x_start + select(line * columns + k, k * columns + line, is_tall)";
const lineOfGram = "gram_start + k * size + line";

const stages: Record<NewtonSchulzStage, Stage> = {
  gram: {
    summary: "A = X·Xᵀ, or Xᵀ·X if X has more rows than columns",
    rows: "size",
    columns: "size",
    terms: "length",
    isSymmetric: true,
    left: lineOfX,
    right: lineOfX,
    isLeftAlongK: "!is_tall",
    isRightAlongK: "!is_tall",
    target: "gram_start",
    value: () => "sum",
  },
  polynomial: {
    summary: "B = b·A + c·A·A",
    rows: "size",
    columns: "size",
    terms: "size",
    isSymmetric: true,
    left: lineOfGram,
    right: lineOfGram,
    isLeftAlongK: "false",
    isRightAlongK: "false",
    target: "polynomial_start",
    value: (_, b, c) => `${b} * matrices[gram_start + index] + ${c} * sum`,
  },
  result: {
    summary: "a·X + B·X, or a·X + X·B if X has more rows than columns",
    rows: "rows",
    columns: "columns",
    terms: "select(size, 0u, is_identity)",
    isSymmetric: false,
    left: "select(polynomial_start + k * size + line, x_start + line * columns + k, is_tall)",
    right: "select(x_start + k * columns + line, polynomial_start + k * size + line, is_tall)",
    isLeftAlongK: "is_tall",
    isRightAlongK: "false",
    target: "result_start",
    value: (a) => `${a} * matrices[x_start + index] + sum`,
  },
};

/**
 * A WGSL module for a stage of a Newton–Schulz iteration; its entry point is `update`.
 *
 * Each workgroup computes one tile of a matrix: the tiles of a matrix are numbered row by row, `newtonSchulzTiles` are
 * their number. One dispatch serves any number of matrices whose arrays are in the same binding. The result must not
 * overlap X, since other workgroups still read X.
 *
 * @param coefficients of the pass: numbers, or names of scalars of the variant
 */
export function emitNewtonSchulzKernel(
  stage: NewtonSchulzStage,
  variant: Variant,
  coefficients: MatrixPass["coefficients"],
): string {
  const { summary, target, isSymmetric, ...own } = stages[stage];
  const values = coefficients.map((one) =>
    typeof one === "number" ? `f32(${literal(one)})` : `scalars[scalar_set].${wgslName(one)}`,
  );
  const lines = [
    `// ${summary}, for ${variant.label}. Each sum is in the order of k.`,
    ...typeDeclarations(variant, "f32"),
    "// The number of tiles; for each tile, the index of its matrix' entry; then the entries: first tile, element count,",
    `// index of the scalars, ${newtonSchulzParameters.join(", ")}.`,
    ...tableAndScalars,
    `@group(0) @binding(${firstArrayBinding}) var<storage, read_write> matrices: array<f32>;`,
    "",
    "// For each k, the factors of the rows and of the columns of the tile.",
    `var<workgroup> left: array<f32, ${tileValues}>;`,
    `var<workgroup> right: array<f32, ${tileValues}>;`,
    "",
    ...entryPoint,
    "  let scalar_set = table[entry + 2u];",
    ...newtonSchulzParameters.map(
      (name, i) => `  let ${name} = table[entry + ${entryHeaderLength + i}u];`,
    ),
    "  let is_tall = rows > columns;",
    "  let size = min(rows, columns);",
    "  let length = max(rows, columns);",
    ...["a", "b", "c"].map((name, i) => `  let coefficient_${name} = ${values[i]};`),
    "  let is_identity = coefficient_a == 1.0 && coefficient_b == 0.0 && coefficient_c == 0.0;",
    ...(isSymmetric ? ["  if (is_identity) { return; }"] : []),
    `  let tiles_across = (${own.columns} + ${productTile - 1}u) / ${productTile}u;`,
    `  let first_row = (tile - table[entry]) / tiles_across * ${productTile}u;`,
    `  let first_column = (tile - table[entry]) % tiles_across * ${productTile}u;`,
    ...(isSymmetric ? ["  if (first_column < first_row) { return; }"] : []),
    `  let block_row = invocation / ${blocksAcross}u * ${block}u;`,
    `  let block_column = invocation % ${blocksAcross}u * ${block}u;`,
    `  let terms = ${own.terms};`,
    `  var sums: array<vec4f, ${block}>;`,
    `  for (var first = 0u; first < terms; first += ${depth}u) {`,
    `    for (var n = invocation; n < ${tileValues}u; n += ${workgroupSize}u) {`,
    ...loadFactor("left", "first_row", own.rows, own.isLeftAlongK, own.left),
    ...loadFactor("right", "first_column", own.columns, own.isRightAlongK, own.right),
    "    }",
    "    workgroupBarrier();",
    `    for (var k = 0u; k < ${depth}u; k++) {`,
    `      let l = k * ${productTile}u + block_row;`,
    `      let r = k * ${productTile}u + block_column;`,
    "      let columns_of_term = vec4f(right[r], right[r + 1u], right[r + 2u], right[r + 3u]);",
    ...Array.from(
      { length: block },
      (_, i) => `      sums[${i}] += left[l + ${i}u] * columns_of_term;`,
    ),
    "    }",
    "    workgroupBarrier();",
    "  }",
    `  for (var i = 0u; i < ${block}u; i++) {`,
    `    for (var j = 0u; j < ${block}u; j++) {`,
    "      let row = first_row + block_row + i;",
    "      let column = first_column + block_column + j;",
    `      if (row >= ${own.rows} || column >= ${own.columns}) { continue; }`,
    "      let sum = sums[i][j];",
    `      let index = row * ${own.columns} + column;`,
    `      let value = ${own.value("coefficient_a", "coefficient_b", "coefficient_c")};`,
    `      matrices[${target} + index] = value;`,
    ...(isSymmetric ? [`      matrices[${target} + column * size + row] = value;`] : []),
    "    }",
    "  }",
    "}",
    "",
  ];
  return lines.join("\n");
}

/** Loads a value of a factor; 0 outside of the matrix. Neighboring invocations load neighboring values. */
function loadFactor(
  factor: "left" | "right",
  first: string,
  lines: string,
  isAlongK: string,
  position: string,
): readonly string[] {
  return [
    "      {",
    `        let line_in_tile = select(n % ${productTile}u, n / ${depth}u, ${isAlongK});`,
    `        let term = select(n / ${productTile}u, n % ${depth}u, ${isAlongK});`,
    `        let line = ${first} + line_in_tile;`,
    "        let k = first + term;",
    "        var value = 0.0;",
    `        if (line < ${lines} && k < terms) { value = matrices[${position}]; }`,
    `        ${factor}[term * ${productTile}u + line_in_tile] = value;`,
    "      }",
  ];
}

/** The number of tiles of a matrix in a stage. */
export function newtonSchulzTiles(stage: NewtonSchulzStage, rows: number, columns: number): number {
  const across = (count: number): number => Math.ceil(count / productTile);
  return stage === "result" ? across(rows) * across(columns) : across(Math.min(rows, columns)) ** 2;
}
