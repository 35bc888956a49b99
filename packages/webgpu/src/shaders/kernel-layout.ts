import type { Variant } from "@gradstep/core";

/** How many invocations work together, and how many elements each of them updates, one after the other. */
export const workgroupSize = 64;
export const turns = 4;

/** Elements that one workgroup updates: floats, groups of four, or the halves of a word together. */
export const tileLength: number = workgroupSize * turns;

/** Groups of hyperparameters that one dispatch can tell apart. */
export const scalarGroups = 16;

/** The form of a kernel for tensors that are plain: what its memory looks like, never what it computes. */
export interface Form {
  /** 4: all ranges begin at multiples of four values and are read as vec4f; 1: they begin anywhere. */
  readonly width: 1 | 4;
  /**
   * Where gradients are: in another buffer than the parameters (`apart`), in the same one but not within the same
   * binding (`beside`), or in one binding with them (`joined`).
   */
  readonly gradients: "apart" | "beside" | "joined";
}

/** The form of a kernel that knows of rows: gradients that lie in some layout, masks, packed copies. */
export interface RowForm {
  readonly gradients: "apart" | "joined";
  /** Whether it leaves out rows whose u32 is 0. */
  readonly mask: boolean;
  /** Whether it fills packed f16 copies: then an element is the two values of a word. */
  readonly copy: boolean;
}

/** The form in which a backend's own tensors are updated. */
export const usualForm: Form = { width: 4, gradients: "apart" };

/** Bindings of group 0, in the order of their numbers; the storage buffers after the table hold values. */
export const tableBinding = 0;
export const scalarsBinding = 1;
export const firstArrayBinding = 2;

/** What the table says of a range of elements, as u32s, before the position of each array. */
export const entryHead = 3;

/** Whether a form is one for rows. */
export function isRowForm(form: Form | RowForm): form is RowForm {
  return "mask" in form;
}

/** An array that a kernel binds. */
export interface BoundArray {
  /** What the shader calls it. Those of `p`, `g` and the slots begin with `all_`, since a slot can have any name. */
  readonly name: string;
  readonly access: "read" | "read_write";
}

/** The arrays that a kernel of this form binds, in order: `p`, `g` unless it is joined, the slots, `mask`, `copy`. */
export function arraysOf({ slots }: Variant, form: Form | RowForm): readonly BoundArray[] {
  const written = (name: string): BoundArray => ({ name, access: "read_write" });
  const read = (name: string): BoundArray => ({ name, access: "read" });
  const gradients = form.gradients === "apart" ? read("all_g") : written("all_g");
  const rows = isRowForm(form) ? form : undefined;
  return [
    written("all_p"),
    ...(form.gradients === "joined" ? [] : [gradients]),
    ...slots.map(({ name }) => written(`all_${name}`)),
    ...(rows?.mask === true ? [read("row_mask")] : []),
    ...(rows?.copy === true ? [written("row_copy")] : []),
  ];
}

/** What tells forms apart whose bindings differ; the width of a plain one says nothing about them. */
export function layoutKey(form: Form | RowForm): string {
  if (!isRowForm(form)) return form.gradients;
  return `rows ${form.gradients}${form.mask ? " mask" : ""}${form.copy ? " copy" : ""}`;
}

/** What tells forms apart whose text differs. */
export function formKey(form: Form | RowForm): string {
  return isRowForm(form) ? layoutKey(form) : `${form.width} ${form.gradients}`;
}

/** Bytes from the scalars of one group to those of the next in the uniform buffer. */
export function scalarStride({ scalars }: Variant): number {
  return Math.max(1, Math.ceil(scalars.length / 4)) * 16;
}
