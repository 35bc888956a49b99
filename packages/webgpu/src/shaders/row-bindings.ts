import type { ArrayBinding, RowKernelLayout } from "./kernel-layout.js";
import { usesScratch, type KernelProgram } from "./kernel-program.js";
import { bindingName } from "./reserved-words.js";
import { accessedArraysOf } from "./row-parameters.js";

/** An array that a kernel of rows reads or writes in a buffer of a tensor. */
export interface RowArray {
  /** That of the rule, or `#mask`, `#list`, `#copy0`, …, which no rule can have. */
  readonly name: string;
  readonly content: "floats" | "gradient" | "mask" | "list" | "copy";
  readonly isWritten: boolean;
}

/** What a kernel needs to know to list its arrays. */
export type RowArrayOptions = Pick<
  RowKernelLayout,
  "mask" | "list" | "activates" | "clears" | "copies"
>;

/** All arrays of a kernel of rows, in order: those of the rule, mask, list, copies. */
export function rowArraysOf(
  kernel: Pick<KernelProgram, "arrays">,
  options: RowArrayOptions,
): readonly RowArray[] {
  const { mask, list, clears, copies } = options;
  const bound = accessedArraysOf(kernel, options).filter(({ isScratch }) => !isScratch);
  const readOnly = (name: string, content: RowArray["content"]): RowArray => ({
    name,
    content,
    isWritten: false,
  });
  return [
    ...bound.map(({ name, isWritten }): RowArray =>
      name === "g"
        ? { name, content: "gradient", isWritten: clears }
        : { name, content: "floats", isWritten },
    ),
    ...(mask ? [readOnly("#mask", "mask")] : []),
    ...(list ? [readOnly("#list", "list")] : []),
    ...Array.from({ length: copies }, (_, k): RowArray => ({
      name: copyName(k),
      content: "copy",
      isWritten: true,
    })),
  ];
}

/** The name of a copy among the arrays. */
export function copyName(k: number): string {
  return `#copy${k}`;
}

/** The index of a copy among the copies. */
export function copyIndexOf(name: string): number {
  return Number(name.slice("#copy".length));
}

/** A binding as it is declared: words if its values have several types, atomics if invocations write to the same words. */
export interface RowBinding extends ArrayBinding {
  readonly type: "f32" | "u32" | "atomic<u32>";
}

/** The bindings of a kernel of rows, in order: those of its arrays, and the scratch buffer. */
export function rowBindingsOf(kernel: KernelProgram, layout: RowKernelLayout): RowBinding[] {
  const arrays = rowArraysOf(kernel, layout);
  const count = Math.max(-1, ...layout.bindings) + 1;
  const bindings = Array.from({ length: count }, (_, k) =>
    bindingOf(
      arrays.filter((__, i) => layout.bindings[i] === k),
      layout,
    ),
  );
  const scratch: RowBinding = { name: "scratch", access: "read_write", type: "f32" };
  return usesScratch(kernel) ? [...bindings, scratch] : bindings;
}

/** The binding of an array. */
export function rowBindingOf(
  kernel: KernelProgram,
  layout: RowKernelLayout,
  name: string,
): RowBinding {
  const arrays = rowArraysOf(kernel, layout);
  const index = layout.bindings[arrays.findIndex((array) => array.name === name)];
  return rowBindingsOf(kernel, layout)[index];
}

/** The binding of arrays in one buffer. */
function bindingOf(arrays: readonly RowArray[], { halves }: RowKernelLayout): RowBinding {
  const [{ name }] = arrays;
  const isWritten = arrays.some((array) => array.isWritten);
  const sharesWords =
    halves &&
    arrays.some((one) => one.content === "copy" || (one.content === "gradient" && one.isWritten));
  const isPlain = arrays.every(({ content }) => content === "floats");
  return {
    name: name.startsWith("#") ? `row_${name.slice(1)}` : bindingName(name),
    access: isWritten ? "read_write" : "read",
    type: sharesWords ? "atomic<u32>" : isPlain ? "f32" : "u32",
  };
}

/** The layout of plain tensors in buffers of their own. */
export function plainRowLayout(
  kernel: Pick<KernelProgram, "arrays">,
  changes: Partial<RowKernelLayout> = {},
): RowKernelLayout {
  const options = {
    mask: false,
    list: false,
    rowScalars: false,
    strides: false,
    widths: false,
    fixedPoint: "none" as const,
    activates: false,
    clears: false,
    copies: 0,
    fused: false,
    halves: false,
    ...changes,
  };
  return { bindings: rowArraysOf(kernel, options).map((_, i) => i), ...options };
}
