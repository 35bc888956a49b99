import { entryHeaderLength, tableBinding, type ArrayBinding } from "./kernel-layout.js";
import { elementLoop, entryPoint, packedFloat16 } from "./wgsl-fragments.js";

/** Parameters of a segment in the table, in words. Each line starts at a word of its own in the mirror. */
const packParameterNames = ["source_start", "line_length", "line_start", "line_stride"] as const;

/** The values for `packParameterNames`, in their order. */
export type PackParameters = readonly [number, number, number, number];

/** The arrays that are bound after the table, in order. */
export const packArrays: readonly ArrayBinding[] = [
  { name: "source", access: "read" },
  { name: "mirror", access: "read_write" },
];

/**
 * A WGSL module that packs f32 as f16; its entry point is `update`. Each element is the values of one word. The other
 * half of a line's last word is kept.
 */
export const packKernel: string = [
  "// Packs values as f16, two per word. The other half of a line's last word is kept.",
  `@group(0) @binding(${tableBinding}) var<storage, read> table: array<u32>;`,
  `@group(0) @binding(${tableBinding + 1}) var<storage, read> all_source: array<f32>;`,
  `@group(0) @binding(${tableBinding + 2}) var<storage, read_write> all_mirror: array<u32>;`,
  "",
  ...entryPoint,
  ...packParameterNames.map(
    (name, k) => `  let ${name} = table[entry + ${entryHeaderLength + k}u];`,
  ),
  ...elementLoop(),
  "    let pairs = (line_length + 1u) / 2u;",
  "    let line = i / pairs;",
  "    let first = i % pairs * 2u;",
  "    let mirror_index = line_start + line * line_stride + first / 2u;",
  "    let source_index = source_start + line * line_length + first;",
  `    var word = ${packedFloat16("all_source[source_index]")};`,
  "    if (first + 1u < line_length) {",
  `      word |= ${packedFloat16("all_source[source_index + 1u]")} << 16u;`,
  "    } else {",
  "      word |= all_mirror[mirror_index] & 0xffff0000u;",
  "    }",
  "    all_mirror[mirror_index] = word;",
  "  }",
  "}",
  "",
].join("\n");
