import { smallestNormal, type ElementOp, type ReduceOp } from "@gradstep/core";
import {
  elementsPerInvocation,
  entryHeaderLength,
  maxScalarSets,
  scalarsBinding,
  tableBinding,
  workgroupSize,
} from "./kernel-layout.js";
import type { KernelProgram } from "./kernel-program.js";
import { wgslName } from "./reserved-words.js";

/** Declares the type of a value and the struct of a scalar set. */
export function typeDeclarations(
  { scalars, isScaled }: Pick<KernelProgram, "scalars" | "isScaled">,
  value: "f32" | "vec4f",
): readonly string[] {
  const names = [...scalars.map(wgslName), ...(isScaled === true ? ["step_scale"] : [])];
  return [
    `alias Value = ${value};`,
    "",
    "struct Scalars {",
    ...(names.length === 0 ? ["unused"] : names).map(
      (name, i) => `  ${i === 0 ? "@align(16) " : ""}${name}: f32,`,
    ),
    "}",
    "",
  ];
}

/** Declares the bindings that every kernel of a rule has. */
export const tableAndScalars: readonly string[] = [
  `@group(0) @binding(${tableBinding}) var<storage, read> table: array<u32>;`,
  `@group(0) @binding(${scalarsBinding}) var<uniform> scalars: array<Scalars, ${maxScalarSets}>;`,
];

const flushFunction = [
  "fn flush(x: Value) -> Value {",
  `  return select(x, Value(0), abs(x) < Value(${smallestNormal}));`,
  "}",
  "",
];

/** Looks at bits, since an implementation of WGSL may assume that no value is NaN or infinite. */
function isFiniteFunction(bits: "u32" | "vec4u"): readonly string[] {
  const exponent = `${bits}(0x7f800000u)`;
  return [
    "fn isFinite(x: Value) -> Value {",
    `  return select(Value(1), Value(0), (bitcast<${bits}>(x) & ${exponent}) == ${exponent});`,
    "}",
    "",
  ];
}

/** Declares the functions that a kernel calls. */
export function functionDeclarations(
  { program }: KernelProgram,
  value: "f32" | "vec4f",
): readonly string[] {
  const calls = (name: ElementOp): boolean => program.nodes.some(({ op }) => op === name);
  return [
    ...(calls("flush") ? flushFunction : []),
    ...(calls("isFinite") ? isFiniteFunction(value === "f32" ? "u32" : "vec4u") : []),
  ];
}

/**
 * The start of the entry point: finds the tile of the workgroup, and declares what the table has for the tile.
 *
 * @param parameters those of the table entry, which follow its header in this order
 */
export const entryPoint = (
  parameters: readonly string[],
  hasScalars = false,
): readonly string[] => [
  `@compute @workgroup_size(${workgroupSize})`,
  "fn update(",
  "  @builtin(workgroup_id) workgroup: vec3u,",
  "  @builtin(num_workgroups) workgroup_count: vec3u,",
  "  @builtin(local_invocation_index) invocation: u32,",
  ") {",
  "  let tile = workgroup.y * workgroup_count.x + workgroup.x;",
  "  if (tile >= table[0]) { return; }",
  "  let entry = table[1u + tile];",
  "  let count = table[entry + 1u];",
  ...(hasScalars ? ["  let scalar_set = table[entry + 2u];"] : []),
  ...parameters.map((name, k) => `  let ${name} = table[entry + ${entryHeaderLength + k}u];`),
];

/** Describes the table of a kernel of a rule in the text of the kernel. @param parameters as they are named there */
export function tableComment(parameters: string): readonly string[] {
  return [
    "// The number of tiles; for each tile, the index of its segment's entry; then the entries: first tile, element",
    `// count, index of the scalars, ${parameters}.`,
  ];
}

/** The start of the loop over the elements of an invocation; `i` is the element. */
export function elementLoop(end: "return" | "break" = "return"): readonly string[] {
  return [
    `for (var iteration = 0u; iteration < ${elementsPerInvocation}u; iteration++) {`,
    `  let i = ((tile - table[entry]) * ${elementsPerInvocation}u + iteration) * ${workgroupSize}u + invocation;`,
    `  if (i >= count) { ${end}; }`,
  ];
}

/** Lines within a block. */
export function indented(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `  ${line}`);
}

/** The value of a reduction over nothing. The largest finite f32 stands for infinity. */
export const emptyValue: Readonly<Record<ReduceOp, string>> = {
  sum: "0.0",
  maximum: "-3.4028234663852886e38",
};

/** Joins two values. */
export function joined(op: ReduceOp, a: string, b: string): string {
  return op === "sum" ? `${a} + ${b}` : `max(${a}, ${b})`;
}

/** The largest finite f16: in WGSL, the result of packing a larger value is undefined. */
const maxFloat16 = "65504.0";

/** Packs a value as f16 into the lower half of a word. */
export function packedFloat16(value: string): string {
  return `pack2x16float(vec2f(clamp(${value}, -${maxFloat16}, ${maxFloat16}), 0.0))`;
}
