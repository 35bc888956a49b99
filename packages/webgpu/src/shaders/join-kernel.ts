import { firstArrayBinding, tableBinding, workgroupSize } from "./kernel-layout.js";
import { entryPoint } from "./wgsl-fragments.js";

/**
 * Parameters of a segment of results in the table. Positions are those of the scratch buffer. Value `i` of result `j` is
 * at `source_start + i * stride + j * spacing`.
 */
export const joinParameterNames = [
  /** Invocations per result: a power of two, at most the size of a workgroup. */
  "lanes",
  /** Values per result. */
  "length",
  "stride",
  "spacing",
  "source_start",
  "target_start",
  "target_spacing",
  /** A value of `joinCode`. */
  "op",
] as const;

export type JoinParameters = Record<(typeof joinParameterNames)[number], number>;

/** How values are joined, as a number in the table. */
export const joinCode = { sum: 0, maximum: 1 } as const;

/** The results that one workgroup finds. */
export function joinsPerTile(lanes: number): number {
  return workgroupSize / lanes;
}

/**
 * A WGSL module that joins values of the scratch buffer pairwise, in place; its entry point is `update`. Neighbors 0 and
 * 1, 2 and 3, … are joined, then their results in the same way: the order depends on nothing but the number of values.
 */
export const joinKernel: string = [
  "// Joins values pairwise: 0 and 1, 2 and 3, …, then their results in the same way.",
  `@group(0) @binding(${tableBinding}) var<storage, read> table: array<u32>;`,
  `@group(0) @binding(${firstArrayBinding}) var<storage, read_write> scratch: array<f32>;`,
  "",
  ...entryPoint(joinParameterNames),
  `  let results = ${workgroupSize}u / lanes;`,
  "  // Neighboring invocations work on neighboring results.",
  "  let lane = invocation / results;",
  "  let result = (tile - table[entry]) * results + invocation % results;",
  "  let start = source_start + result * spacing;",
  "  for (var gap = 1u; gap < length; gap *= 2u) {",
  "    if (result < count) {",
  "      for (var k = lane * 2u * gap; k + gap < length; k += lanes * 2u * gap) {",
  "        let a = scratch[start + k * stride];",
  "        let b = scratch[start + (k + gap) * stride];",
  `        scratch[start + k * stride] = select(max(a, b), a + b, op == ${joinCode.sum}u);`,
  "      }",
  "    }",
  "    storageBarrier();",
  "  }",
  "  if (result < count && lane == 0u) {",
  "    scratch[target_start + result * target_spacing] = scratch[start];",
  "  }",
  "}",
  "",
].join("\n");
