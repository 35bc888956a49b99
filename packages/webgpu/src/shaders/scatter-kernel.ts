import { tableBinding } from "./kernel-layout.js";
import { elementLoop, entryPoint, indented } from "./wgsl-fragments.js";

/** Parameters of a segment of rows in the table: positions in the bindings, and numbers of words. */
export const scatterParameterNames = [
  "columns",
  /** The number of values; the elements after them are padding, and become 0. */
  "value_count",
  "source_start",
  "target_start",
  /** The distance between rows of the target. */
  "target_stride",
  "padding_start",
] as const;

export type ScatterParameters = Record<(typeof scatterParameterNames)[number], number>;

/** The arrays that are bound after the table, in order. */
export const scatterArrays = [
  { name: "source", access: "read" },
  { name: "target", access: "read_write" },
] as const;

/** A WGSL module that copies rows without gaps to rows with any stride, as words; its entry point is `update`. */
export const scatterKernel: string = [
  "// Copies rows without gaps to rows with any stride.",
  `@group(0) @binding(${tableBinding}) var<storage, read> table: array<u32>;`,
  ...scatterArrays.map(
    ({ name, access }, i) =>
      `@group(0) @binding(${1 + i}) var<storage, ${access}> all_${name}: array<u32>;`,
  ),
  "",
  ...entryPoint(scatterParameterNames),
  ...indented(elementLoop()),
  "    if (i < value_count) {",
  "      let position = target_start + i / columns * target_stride + i % columns;",
  "      all_target[position] = all_source[source_start + i];",
  "    } else {",
  "      all_target[padding_start + i - value_count] = 0u;",
  "    }",
  "  }",
  "}",
  "",
].join("\n");
