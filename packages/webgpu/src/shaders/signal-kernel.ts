import { tableBinding, workgroupSize, type ArrayBinding } from "./kernel-layout.js";

/** The arrays that are bound after the table, in order. The host writes scalars, then their slopes. */
export const signalArrays: readonly (ArrayBinding & { readonly hasDynamicOffset?: boolean })[] = [
  { name: "host_values", access: "read", hasDynamicOffset: true },
  { name: "scales", access: "read" },
  { name: "skips", access: "read" },
  { name: "rates", access: "read" },
  { name: "scalars", access: "read_write" },
  { name: "grids", access: "read_write" },
];

/** The words of the table before those of the scalars. */
export const signalHeader = [
  "scalar_count",
  "dispatch_count",
  /** Where the slopes begin in the host's values. */
  "slopes_start",
  // Positions in the bindings.
  "scale_index",
  "skip_index",
  "rate_index",
] as const;

/**
 * How a scalar is found, in the two highest bits of its word in the table; the others are its index: it is the host's,
 * grows with the learning rate, or is the scale.
 */
export const scalarSource = { host: 0, rate: 1, scale: 2 } as const;

const sourceShift = 30;

/** The word of a scalar in the table. */
export function scalarWord(index: number, source: keyof typeof scalarSource): number {
  return scalarSource[source] * 2 ** sourceShift + index;
}

const types: Readonly<Record<string, string>> = { skips: "u32", grids: "u32" };

/**
 * A WGSL module that prepares the dispatches of a step whose signals are on the device: their scalars and, if the step
 * can be skipped, their workgroups.
 */
export const signalKernel: string = [
  "// Scalars of a step by its learning rate and scale; the workgroups of each dispatch, or none. Table: the header,",
  "// a word per scalar, then the workgroups of each dispatch in x and y, and whether it is for skipped steps.",
  `@group(0) @binding(${tableBinding}) var<storage, read> table: array<u32>;`,
  ...signalArrays.map(
    ({ name, access }, k) =>
      `@group(0) @binding(${tableBinding + 1 + k}) var<storage, ${access}> ${name}: array<${types[name] ?? "f32"}>;`,
  ),
  "",
  `@compute @workgroup_size(${workgroupSize})`,
  "fn update(@builtin(local_invocation_index) invocation: u32) {",
  ...signalHeader.map((name, k) => `  let ${name} = table[${k}];`),
  `  for (var i = invocation; i < scalar_count; i += ${workgroupSize}u) {`,
  `    let word = table[${signalHeader.length}u + i];`,
  `    let index = word & ${2 ** sourceShift - 1}u;`,
  `    switch word >> ${sourceShift}u {`,
  `      case ${scalarSource.rate}u: {`,
  "        scalars[index] = host_values[index] + host_values[slopes_start + index] * rates[rate_index];",
  "      }",
  `      case ${scalarSource.scale}u: { scalars[index] = scales[scale_index]; }`,
  "      default: { scalars[index] = host_values[index]; }",
  "    }",
  "  }",
  `  for (var d = invocation; d < dispatch_count; d += ${workgroupSize}u) {`,
  `    let grid = ${signalHeader.length}u + scalar_count + 3u * d;`,
  "    let is_executed = (skips[skip_index] != 0u) == (table[grid + 2u] != 0u);",
  "    grids[3u * d] = select(0u, table[grid], is_executed);",
  "    grids[3u * d + 1u] = table[grid + 1u];",
  "    grids[3u * d + 2u] = 1u;",
  "  }",
  "}",
  "",
].join("\n");
