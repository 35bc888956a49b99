import type { MatrixPass, Variant } from "@gradstep/core";
import { floatBits } from "./float-bits.js";
import {
  firstArrayBinding,
  maxScalarSets,
  scalarsBinding,
  tableBinding,
  workgroupSize,
  type ArrayBinding,
} from "./kernel-layout.js";
import { stages, type Factor, type NewtonSchulzStage } from "./newton-schulz-stages.js";
import { entryPoint } from "./wgsl-fragments.js";

/** Rows and columns of the tile that a workgroup computes. */
export const productTile = 32;
/** Rows and columns that an invocation computes. */
const block = 4;
const blocksAcross = productTile / block;
/** Terms of the sums that are in workgroup memory at a time. */
const depth = 16;
const tileValues = productTile * depth;

/**
 * Parameters of a matrix in the table, in words: where its values start in the arrays, its shape, and its coefficients:
 * the position of each in the scalars, or `isLiteral` and the bits of its value.
 */
export const newtonSchulzParameters = [
  "x_start",
  "gram_start",
  "polynomial_start",
  "result_start",
  "rows",
  "columns",
  "a_position",
  "a_bits",
  "b_position",
  "b_bits",
  "c_position",
  "c_bits",
] as const;

/** The position of a coefficient that is a number. */
const isLiteral = 0xffff_ffff;

/** The table words of the coefficients of a pass. */
export function coefficientWords(
  { scalars }: Variant,
  coefficients: MatrixPass["coefficients"],
): readonly number[] {
  return coefficients.flatMap((one) =>
    typeof one === "string" ? [scalars.indexOf(one), 0] : [isLiteral, floatBits(one)],
  );
}

/** The arrays that are bound after the scalars, in order. `products` has A and bA + cA² of each matrix. */
export const newtonSchulzArrays: readonly ArrayBinding[] = [
  { name: "x", access: "read" },
  { name: "products", access: "read_write" },
  { name: "result", access: "read_write" },
];

/**
 * A WGSL module for a stage of a Newton–Schulz iteration; its entry point is `update`.
 *
 * Each workgroup computes one tile of a matrix: the tiles of a matrix are numbered row by row, `newtonSchulzTiles` are
 * their number. One dispatch serves any number of matrices in the same buffers. The result must not overlap X, since other
 * workgroups still read X.
 *
 * @param scalarSetLength bytes per scalar set, a multiple of 16
 */
export function emitNewtonSchulzKernel(stage: NewtonSchulzStage, scalarSetLength: number): string {
  const { summary, target, isSymmetric, ...own } = stages[stage];
  const vectors = scalarSetLength / 16;
  const lines = [
    `// ${summary}. Each sum is in the order of k.`,
    "// The number of tiles; for each tile, the index of its matrix' entry; then the entries: first tile, element count,",
    `// index of the scalars, ${newtonSchulzParameters.join(", ")}.`,
    `@group(0) @binding(${tableBinding}) var<storage, read> table: array<u32>;`,
    `@group(0) @binding(${scalarsBinding}) var<uniform> scalars: array<vec4f, ${vectors * maxScalarSets}>;`,
    ...newtonSchulzArrays.map(
      ({ name, access }, i) =>
        `@group(0) @binding(${firstArrayBinding + i}) var<storage, ${access}> ${name}: array<f32>;`,
    ),
    "",
    "// For each k, the factors of the rows and of the columns of the tile.",
    `var<workgroup> left: array<f32, ${tileValues}>;`,
    `var<workgroup> right: array<f32, ${tileValues}>;`,
    "",
    "fn coefficient(scalar_set: u32, position: u32, bits: u32) -> f32 {",
    `  if (position == ${isLiteral}u) { return bitcast<f32>(bits); }`,
    `  return scalars[scalar_set * ${vectors}u + position / 4u][position % 4u];`,
    "}",
    "",
    ...entryPoint(newtonSchulzParameters, true),
    "  let is_tall = rows > columns;",
    "  let size = min(rows, columns);",
    "  let length = max(rows, columns);",
    ...["a", "b", "c"].map(
      (name) =>
        `  let coefficient_${name} = coefficient(scalar_set, ${name}_position, ${name}_bits);`,
    ),
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
    ...loadFactor("left", "first_row", own.rows, own.left),
    ...loadFactor("right", "first_column", own.columns, own.right),
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
    `      ${target} = value;`,
    ...(isSymmetric
      ? [
          "      let mirrored = column * size + row;",
          `      ${target.replace("index", "mirrored")} = value;`,
        ]
      : []),
    "    }",
    "  }",
    "}",
    "",
  ];
  return lines.join("\n");
}

/** Loads a value of a factor; 0 outside of the matrix. Neighboring invocations load neighboring values. */
function loadFactor(
  side: "left" | "right",
  first: string,
  lines: string,
  { tall, wide, isAlongK }: Factor,
): readonly string[] {
  return [
    "      {",
    `        let line_in_tile = select(n % ${productTile}u, n / ${depth}u, ${isAlongK});`,
    `        let term = select(n / ${productTile}u, n % ${depth}u, ${isAlongK});`,
    `        let line = ${first} + line_in_tile;`,
    "        let k = first + term;",
    "        var value = 0.0;",
    `        if (line < ${lines} && k < terms) {`,
    ...(tall === wide
      ? [`          value = ${tall};`]
      : [`          if (is_tall) { value = ${tall}; } else { value = ${wide}; }`]),
    "        }",
    `        ${side}[term * ${productTile}u + line_in_tile] = value;`,
    "      }",
  ];
}

/** The number of tiles of a matrix in a stage. */
export function newtonSchulzTiles(stage: NewtonSchulzStage, rows: number, columns: number): number {
  const across = (count: number): number => Math.ceil(count / productTile);
  return stage === "result" ? across(rows) * across(columns) : across(Math.min(rows, columns)) ** 2;
}
