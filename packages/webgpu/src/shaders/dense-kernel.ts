import { GradstepError, type Variant } from "@gradstep/core";
import { arraysOf, entryHead, firstArrayBinding, usualForm, type Form } from "./kernel-layout.js";
import { bodyOf, entryPoint, functionsOf, headOf, tableAndScalars, turn } from "./wgsl-emitter.js";

/**
 * A variant as a WGSL module with one entry point, `update`.
 *
 * Each workgroup updates one tile of one range of elements. The table says which range, where it begins in each array
 * and whose scalars it takes, so that any number of tensors in the same buffers are one dispatch.
 *
 * @throws {GradstepError} `UNSUPPORTED` for a form that does not exist
 */
export function emitWgsl(variant: Variant, form: Form = usualForm): string {
  const { label, slots } = variant;
  if (form.width !== 1 && form.width !== 4) {
    throw new GradstepError(`Got a width of ${String(form.width)}; expected 1 or 4.`, {
      code: "UNSUPPORTED",
    });
  }
  const arrays = arraysOf(variant, form);
  const tensors = ["p", "g", ...slots.map(({ name }) => name)];
  const home = (name: string): string =>
    arrays.some((one) => one.name === `all_${name}`) ? `all_${name}` : "all_p";
  const place = (name: string): string => `${home(name)}[at_${name} + i]`;
  const { before, element, results } = bodyOf(variant, place);
  return [
    `// ${label}: updates ${["p", ...slots.map(({ name }) => name)].join(", ")} from g, ${form.width === 4 ? "four values at a time" : "one value at a time"}.`,
    ...headOf(variant, form.width === 4 ? "vec4f" : "f32"),
    `// The number of tiles; the range of each, as a position in this table; then, for each range: its first tile, the`,
    `// number of its elements, whose scalars it takes, and where it begins in ${tensors.join(", ")}.`,
    ...tableAndScalars,
    ...arrays.map(
      ({ name, access }, i) =>
        `@group(0) @binding(${firstArrayBinding + i}) var<storage, ${access}> ${name}: array<Value>;`,
    ),
    "",
    ...functionsOf(variant),
    ...entryPoint,
    "  let own = table[entry + 2u];",
    ...tensors.map((name, k) => `  let at_${name} = table[entry + ${entryHead + k}u];`),
    ...before.map((line) => `  ${line}`),
    ...turn,
    ...element.map((line) => `    ${line}`),
    ...results.map(({ name, text }) => `    ${place(name)} = ${text};`),
    "  }",
    "}",
    "",
  ].join("\n");
}
