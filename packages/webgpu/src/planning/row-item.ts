import { countOf, GradstepError, type Dimensions, type UnselectedRows } from "@gradstep/core";
import type { GpuTensor } from "../memory/gpu-tensor.js";
import type { KernelArray, KernelProgram } from "../shaders/kernel-program.js";
import type { RowListView } from "./row-list.js";
import type { ArrayPlace, StepTarget } from "./step-target.js";

/** Rows in a buffer. The units of `start` and `stride`, the distance between rows, depend on the use. */
export interface RowView {
  readonly buffer: GPUBuffer;
  readonly start: number;
  readonly stride: number;
}

/** A packed f16 mirror, in words. */
export interface MirrorView extends RowView {
  /** Whether there are no gaps between rows. Then a row may start within a word. */
  readonly isContiguous: boolean;
}

/** What a kernel does with one tensor by rows. */
export interface RowItem {
  readonly kernel: KernelProgram;
  readonly rows: number;
  /** Indices of the kernel per row. */
  readonly columns: number;
  /** In the order of the kernel's arrays, without the gradient. */
  readonly places: readonly ArrayPlace[];
  /** In units of two bytes; a value is `unit` of them. Undefined if the kernel does not read it. */
  readonly gradient: (RowView & { readonly unit: 1 | 2 }) | undefined;
  /** In words. */
  readonly mask: RowView | undefined;
  readonly unselectedRows: UnselectedRows;
  /** The rows to be updated; all if undefined. */
  readonly list: RowListView | undefined;
  /** The number of rows of the gradient, which can differ for listed rows. */
  readonly gradientRows: number;
  readonly mirror: MirrorView | undefined;
  /** The scalars of the parameter's group, compared by identity. */
  readonly scalars: Float64Array;
  readonly dimensions: Dimensions;
  readonly perRowOf: StepTarget["perRowOf"];
}

/**
 * Where the arrays of a kernel are.
 *
 * @throws {GradstepError} `UNSUPPORTED` for a mirror whose rows share words, and for types that cannot be used;
 * `INVALID_GRADIENT`
 */
export function rowItemOf(
  kernel: KernelProgram,
  { update, dimensions, rows, perRowOf, mask, list, places }: StepTarget,
): RowItem {
  const { over, arrays } = kernel;
  const { unselectedRows, scalars } = update;
  // Tensors, and the columns of a single matrix, have values of all rows, so that no mask applies to them.
  const perRow = perRowOf(over);
  const array = (name: string): KernelArray | undefined => arrays.find((one) => one.name === name);
  return {
    kernel,
    rows: perRow > 0 ? rows : 1,
    columns: perRow > 0 ? perRow : countOf(over, dimensions),
    places: arrays.filter(({ name }) => name !== "g").map(({ name }) => places.get(name)!),
    gradient:
      array("g") === undefined
        ? undefined
        : gradientView(
            update.gradient as unknown as GpuTensor,
            update.parameter as unknown as GpuTensor,
          ),
    mask: perRow > 0 ? mask : undefined,
    unselectedRows,
    list,
    gradientRows: list === undefined ? rows : update.gradient.size / (update.parameter.size / rows),
    mirror:
      update.copies.length > 0 && array("p")?.isWritten === true
        ? mirrorView(update.copies[0].target as unknown as GpuTensor)
        : undefined,
    scalars,
    dimensions,
    perRowOf,
  };
}

/** A mask or indices: one u32 per row, in words. @throws {GradstepError} `UNSUPPORTED` */
export function wordView({ memory, layout, rowStride, columns }: GpuTensor): RowView {
  if (layout?.dtype !== "u32" || (columns > 1 && rowStride !== columns)) {
    throw new GradstepError(
      `Got a mask or indices in a tensor of ${layout?.dtype ?? "f32"} with ${columns} values per row; expected one u32 per row. Wrap the buffer with { shape: [rows], dtype: "u32" }.`,
      { code: "UNSUPPORTED" },
    );
  }
  const stride = columns > 1 ? 1 : rowStride;
  return { buffer: memory.buffer, start: memory.byteOffset / 4, stride };
}

/** A packed mirror, in words. @throws {GradstepError} `UNSUPPORTED` */
export function mirrorView({ memory, layout, rowStride, columns }: GpuTensor): MirrorView {
  // A single row is checked as well: a remap can add rows.
  const isContiguous = rowStride === columns;
  const isAligned = memory.byteOffset % 4 === 0 && (isContiguous || rowStride % 2 === 0);
  if (layout?.dtype !== "f16" || !isAligned) {
    throw new GradstepError(
      `Got a mirror of ${layout?.dtype ?? "f32"} at offset ${memory.byteOffset / 2} with a row stride of ${rowStride}, counted in f16; expected f16 at an even offset, with an even row stride or without gaps, so that no word belongs to two rows. Pad the rows.`,
      { code: "UNSUPPORTED" },
    );
  }
  const start = memory.byteOffset / 4;
  return { buffer: memory.buffer, start, stride: rowStride / 2, isContiguous };
}

/** A gradient without gaps may have another shape than its parameter. */
function gradientView(
  { memory, layout, shape, columns, rowStride }: GpuTensor,
  parameter: GpuTensor,
): RowItem["gradient"] {
  const isContiguous = rowStride === columns;
  if (!isContiguous && columns !== parameter.columns)
    throw new GradstepError(
      `Got a gradient of shape [${shape.join(", ")}] with a row stride of ${rowStride}; expected rows of ${parameter.columns} values, as in the parameter's shape [${parameter.shape.join(", ")}].`,
      { code: "INVALID_GRADIENT" },
    );
  if (layout?.dtype === "u32")
    throw new GradstepError(
      `Got a gradient of u32; expected f32 or f16. Wrap its buffer with another dtype.`,
      { code: "UNSUPPORTED" },
    );
  const unit = layout?.dtype === "f16" ? 1 : 2;
  const stride = isContiguous ? parameter.columns : rowStride;
  return { buffer: memory.buffer, start: memory.byteOffset / 2, stride: stride * unit, unit };
}
