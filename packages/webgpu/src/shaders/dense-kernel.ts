import { GradstepError, type Variant } from "@gradstep/core";
import {
  arrayBindingsOf,
  defaultKernelLayout,
  entryHeaderLength,
  firstArrayBinding,
  type DenseKernelLayout,
} from "./kernel-layout.js";
import { kernelBodyOf } from "./wgsl-emitter.js";
import {
  elementLoop,
  entryPoint,
  functionDeclarations,
  tableAndScalars,
  typeDeclarations,
} from "./wgsl-fragments.js";

/**
 * A WGSL module that updates plain f32 tensors; its entry point is `update`.
 *
 * Each workgroup updates one tile of a segment, a range of elements. The table has the start of each segment in each
 * array and the index of its scalars, so that one dispatch updates any number of tensors in the same buffers.
 *
 * @throws {GradstepError} `UNSUPPORTED` for a width that does not exist
 */
export function emitDenseKernel(
  variant: Variant,
  layout: DenseKernelLayout = defaultKernelLayout,
): string {
  const { label, slots } = variant;
  if (layout.width !== 1 && layout.width !== 4) {
    throw new GradstepError(`Got a width of ${String(layout.width)}; expected 1 or 4.`, {
      code: "UNSUPPORTED",
    });
  }
  const arrays = arrayBindingsOf(variant, layout);
  const updated = ["p", ...slots.map(({ name }) => name)];
  const tensors = ["p", "g", ...slots.map(({ name }) => name)];
  const arrayOf = (name: string): string =>
    arrays.some((array) => array.name === `all_${name}`) ? `all_${name}` : "all_p";
  const element = (name: string): string => `${arrayOf(name)}[start_${name} + i]`;
  const { perDispatch, perElement, results } = kernelBodyOf(variant, element);
  return [
    `// ${label}: updates ${updated.join(", ")} from g, ${layout.width === 4 ? "four values at a time" : "one value at a time"}.`,
    ...typeDeclarations(variant, layout.width === 4 ? "vec4f" : "f32"),
    "// The number of tiles; for each tile, the index of its segment's entry; then the entries: first tile, element",
    `// count, index of the scalars, start in each of ${tensors.join(", ")}.`,
    ...tableAndScalars,
    ...arrays.map(
      ({ name, access }, i) =>
        `@group(0) @binding(${firstArrayBinding + i}) var<storage, ${access}> ${name}: array<Value>;`,
    ),
    "",
    ...functionDeclarations(variant),
    ...entryPoint,
    "  let scalar_set = table[entry + 2u];",
    ...tensors.map((name, k) => `  let start_${name} = table[entry + ${entryHeaderLength + k}u];`),
    ...perDispatch.map((line) => `  ${line}`),
    ...elementLoop,
    ...perElement.map((line) => `    ${line}`),
    ...results.map(({ name, text }) => `    ${element(name)} = ${text};`),
    "  }",
    "}",
    "",
  ].join("\n");
}
