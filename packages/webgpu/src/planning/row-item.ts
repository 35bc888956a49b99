import { GradstepError, type UnselectedRows, type Update } from "@gradstep/core";
import type { GpuTensor } from "../memory/gpu-tensor.js";
import type { BufferView } from "./dispatch.js";

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

/** One update of tensors by rows. */
export interface RowItem {
  readonly rows: number;
  readonly columns: number;
  /** `p` and the slots. */
  readonly views: readonly BufferView[];
  /** In units of two bytes; a value is `unit` of them. */
  readonly gradient: RowView & { readonly unit: 1 | 2 };
  /** In words. */
  readonly mask: RowView | undefined;
  readonly unselectedRows: UnselectedRows;
  readonly mirror: MirrorView | undefined;
  /** The scalars of the parameter's group, compared by identity. */
  readonly scalars: Float64Array;
}

/** Whether an update needs a kernel that works by rows. */
export function needsRowKernel({ gradient, mask, mirror }: Update): boolean {
  return gradient.layout !== undefined || mask !== undefined || mirror !== undefined;
}

/**
 * Where the tensors of an update are.
 *
 * @param mask where its mask is
 * @throws {GradstepError} `UNSUPPORTED` for a mirror whose rows share words, and for types that cannot be used;
 * `INVALID_GRADIENT`
 */
export function rowItemOf(update: Update, mask: RowView | undefined): RowItem {
  const [parameter, gradient, ...slots] = [
    update.parameter,
    update.gradient,
    ...update.slots,
  ] as unknown as GpuTensor[];
  const { rows, columns } = parameter;
  return {
    rows,
    columns,
    views: [parameter, ...slots].map(({ memory }) => ({
      buffer: memory.buffer,
      start: memory.byteOffset / 4,
    })),
    gradient: gradientView(gradient, parameter),
    mask,
    unselectedRows: update.unselectedRows,
    mirror:
      update.mirror === undefined ? undefined : mirrorView(update.mirror as unknown as GpuTensor),
    scalars: update.scalars,
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
