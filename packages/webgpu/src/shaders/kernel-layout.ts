import { usesScratch, type KernelProgram } from "./kernel-program.js";
import { bindingName } from "./reserved-words.js";

/** Invocations per workgroup, and elements that each invocation updates in a loop. */
export const workgroupSize = 64;
export const elementsPerInvocation = 4;

/** Elements per workgroup. An element is a value, a vec4f, or the two values that share a word of a mirror. */
export const elementsPerTile: number = workgroupSize * elementsPerInvocation;

/** How many parameter groups, each with its own scalars, one dispatch can serve. */
export const maxScalarSets = 16;

/** How a kernel accesses memory if all tensors are plain f32 without masks and mirrors. It computes the same in each. */
export interface DenseKernelLayout {
  /** 4: ranges start at multiples of four values in every array, and are accessed as vec4f. 1: they start anywhere. */
  readonly width: 1 | 4;
  /**
   * Where gradients are: in another buffer than the parameters (`separate-buffer`), in another binding of the same
   * buffer (`separate-binding`), or in the same binding (`shared-binding`).
   */
  readonly gradients: "separate-buffer" | "separate-binding" | "shared-binding";
}

/** How a kernel accesses memory if it works by rows: gradients with a layout, masks, lists of rows, mirrors. */
export interface RowKernelLayout {
  readonly gradients: "separate-buffer" | "shared-binding";
  /** Whether it skips rows whose mask is 0. */
  readonly mask: boolean;
  /** Whether it updates listed rows only. */
  readonly list: boolean;
  /** Whether it fills packed f16 mirrors. Then an element is the two values of a word. */
  readonly mirror: boolean;
}

export type KernelLayout = DenseKernelLayout | RowKernelLayout;

/** The layout of tensors that the backend allocates. */
export const defaultKernelLayout: DenseKernelLayout = { width: 4, gradients: "separate-buffer" };

/** Bindings of group 0. The arrays of values follow the table and the scalars. */
export const tableBinding = 0;
export const scalarsBinding = 1;
export const firstArrayBinding = 2;

/** Words of a table entry before the layout's own parameters: first tile, element count, index of the scalar set. */
export const entryHeaderLength = 3;

export function isRowKernelLayout(layout: KernelLayout): layout is RowKernelLayout {
  return "mask" in layout;
}

/** An array that a kernel binds. */
export interface ArrayBinding {
  /** The name in the shader. Names of `p`, `g` and slots start with `all_`, since a slot can have any name. */
  readonly name: string;
  readonly access: "read" | "read_write";
}

/**
 * The arrays that a kernel binds, in order: `p`, `g` unless it shares the binding of `p`, slots and temporaries of
 * elements, mask, list of rows, mirror, scratch buffer.
 */
export function arrayBindingsOf(
  kernel: KernelProgram,
  layout: KernelLayout,
): readonly ArrayBinding[] {
  const writable = (name: string): ArrayBinding => ({ name, access: "read_write" });
  const readOnly = (name: string): ArrayBinding => ({ name, access: "read" });
  const rowLayout = isRowKernelLayout(layout) ? layout : undefined;
  return [
    ...kernel.arrays
      .filter(
        ({ name, isScratch }) =>
          !isScratch && !(name === "g" && layout.gradients === "shared-binding"),
      )
      .map(({ name, isWritten }) => {
        // A second binding of a buffer that is written must be writable as well.
        const isSecond = name === "g" && layout.gradients === "separate-binding";
        return isWritten || isSecond ? writable(bindingName(name)) : readOnly(bindingName(name));
      }),
    ...(rowLayout?.mask === true ? [readOnly("row_mask")] : []),
    ...(rowLayout?.list === true ? [readOnly("row_list")] : []),
    ...(rowLayout?.mirror === true ? [writable("row_mirror")] : []),
    ...(usesScratch(kernel) ? [writable("scratch")] : []),
  ];
}

/** Equal for layouts whose bindings are the same; the width does not matter. */
export function bindGroupLayoutKey(layout: KernelLayout): string {
  if (!isRowKernelLayout(layout)) return layout.gradients;
  return `rows ${layout.gradients}${layout.mask ? " mask" : ""}${layout.list ? " list" : ""}${layout.mirror ? " mirror" : ""}`;
}

/** Equal for layouts whose shaders are the same. */
export function kernelLayoutKey(layout: KernelLayout): string {
  return isRowKernelLayout(layout)
    ? bindGroupLayoutKey(layout)
    : `${layout.width} ${layout.gradients}`;
}

/** Bytes per scalar set in the uniform buffer. */
export function scalarSetLength({ scalars }: Pick<KernelProgram, "scalars">): number {
  return Math.max(1, Math.ceil(scalars.length / 4)) * 16;
}
