import {
  denseBindingsOf,
  defaultKernelLayout,
  firstArrayBinding,
  type DenseKernelLayout,
} from "./kernel-layout.js";
import {
  isUniform,
  scaledGradient,
  type KernelArray,
  type KernelProgram,
} from "./kernel-program.js";
import { bindingName, startName } from "./reserved-words.js";
import { kernelBodyOf } from "./wgsl-emitter.js";
import { elementLoop, emptyValue, functionDeclarations, indented } from "./wgsl-fragments.js";
import { ruleModule } from "./rule-module.js";
import { workgroupReductionOf } from "./workgroup-reduction.js";

/**
 * A WGSL module that updates plain f32 tensors; its entry point is `update`.
 *
 * Each workgroup updates one tile of a segment, a range of elements. The table has the start of each segment in each
 * array and the index of its scalars, so that one dispatch updates any number of tensors in the same buffers.
 */
export function emitDenseKernel(
  kernel: KernelProgram,
  layout: DenseKernelLayout = defaultKernelLayout,
): string {
  const { arrays, reductions } = kernel;
  const bindings = denseBindingsOf(kernel, layout);
  const reduction = workgroupReductionOf(kernel, layout.width);
  // With four values at a time, the last element of a tensor may contain padding.
  const hasPadding = reductions.length > 0 && layout.width === 4;
  const starts = arrays.map(({ name }) => startName(name));
  const parameters = [...starts, ...(hasPadding ? ["value_count"] : []), ...reduction.parameters];
  const place = (array: KernelArray): string => {
    const { name, isScratch } = array;
    const own = bindingName(name);
    const binding = isScratch
      ? "scratch"
      : bindings.some((one) => one.name === own)
        ? own
        : "all_p";
    return `${binding}[${startName(name)}${isUniform(array) ? "" : " + i"}]`;
  };
  const load = (array: KernelArray): string => {
    if (array.name === "g") return scaledGradient(kernel, place(array));
    return isUniform(array) ? `Value(${place(array)})` : place(array);
  };
  const { perDispatch, perElement, results } = kernelBodyOf(kernel, load);
  const isReduced = (name: string): boolean => reductions.some((one) => one.name === name);
  const arrayNamed = (name: string): KernelArray => arrays.find((one) => one.name === name)!;
  const textOf = (name: string): string => results.find((one) => one.name === name)!.text;
  const reducedValue = (name: string): string => {
    if (!hasPadding) return textOf(name);
    const { op } = reductions.find((one) => one.name === name)!;
    return `select(Value(${emptyValue[op]}), ${textOf(name)}, counted)`;
  };
  const type = (name: string): string => {
    const array = arrays.find((one) => bindingName(one.name) === name);
    return array === undefined || isUniform(array) ? "f32" : "Value";
  };
  const value = layout.width === 4 ? "vec4f" : "f32";
  return ruleModule({
    kernel,
    how: layout.width === 4 ? "four values at a time" : "one value at a time",
    value,
    parameters,
    parametersText: `start in each of ${arrays.map(({ name }) => name).join(", ")}`,
    bindings: bindings.map(
      ({ name, access }, i) =>
        `@group(0) @binding(${firstArrayBinding + i}) var<storage, ${access}> ${name}: array<${type(name)}>;`,
    ),
    declarations: [...functionDeclarations(kernel, value), ...reduction.declarations],
    body: [
      ...perDispatch,
      ...reduction.beforeLoop,
      ...elementLoop(reductions.length > 0 ? "break" : "return"),
      ...indented(perElement),
      ...(hasPadding
        ? ["  let counted = vec4u(4u * i) + vec4u(0u, 1u, 2u, 3u) < vec4u(value_count);"]
        : []),
      ...indented(reduction.perElement(reducedValue)),
      ...results
        .filter(({ name }) => !isReduced(name))
        .map(({ name, text }) => `  ${place(arrayNamed(name))} = ${text};`),
      "}",
      ...reduction.afterLoop,
    ],
  });
}
