import { GradstepError, type Update } from "@gradstep/core";
import type { GpuTensor } from "../memory/gpu-tensor.js";
import type { CopyPlace, RowPart, RowPlace } from "./row-dispatches.js";

/** Whether an update needs a kernel that knows of rows. */
export function needsRows({ gradient, mask, mirror }: Update): boolean {
  return gradient.layout !== undefined || mask !== undefined || mirror !== undefined;
}

/**
 * An update that knows of rows, as it lies in memory.
 *
 * @param mask where its mask is
 * @throws {GradstepError} `UNSUPPORTED` for a copy whose rows share words, and for other types than are read
 */
export function rowPartOf(update: Update, mask: RowPlace | undefined): RowPart {
  const [parameter, gradient, ...slots] = [
    update.parameter,
    update.gradient,
    ...update.slots,
  ] as unknown as GpuTensor[];
  const { rows, columns } = parameter;
  return {
    rows,
    columns,
    places: [parameter, ...slots].map(({ memory }) => ({
      buffer: memory.buffer,
      start: memory.byteOffset / 4,
    })),
    gradient: gradientPlace(gradient, parameter),
    mask,
    others: update.unselectedRows,
    copy:
      update.mirror === undefined ? undefined : copyPlace(update.mirror as unknown as GpuTensor),
    scalars: update.scalars,
  };
}

/** A tensor of u32, one for each row of others, in words. @throws {GradstepError} `UNSUPPORTED` */
export function wordPlace({ memory, layout, rowStride, columns }: GpuTensor): RowPlace {
  if (layout?.dtype !== "u32" || (columns > 1 && rowStride !== columns)) {
    throw new GradstepError(
      `A mask or indices are in a tensor of ${layout?.dtype ?? "f32"} with rows of ${columns}; expected u32, one a row. Wrap the buffer with { shape: [rows], dtype: "u32" }.`,
      { code: "UNSUPPORTED" },
    );
  }
  const step = columns > 1 ? 1 : rowStride;
  return { buffer: memory.buffer, at: memory.byteOffset / 4, step };
}

/** A packed copy, in words. @throws {GradstepError} `UNSUPPORTED` */
export function copyPlace({ memory, layout, rowStride, columns }: GpuTensor): CopyPlace {
  // Also of a single row: a remap makes it several.
  const isFlat = rowStride === columns;
  const isAligned = memory.byteOffset % 4 === 0 && (isFlat || rowStride % 2 === 0);
  if (layout?.dtype !== "f16" || !isAligned) {
    throw new GradstepError(
      `A copy is a tensor of ${layout?.dtype ?? "f32"} at offset ${memory.byteOffset / 2} with a row stride of ${rowStride}, counted in f16; expected f16 at an even offset, with rows that follow each other or have an even stride, so that no word belongs to two rows. Pad the rows.`,
      { code: "UNSUPPORTED" },
    );
  }
  return { buffer: memory.buffer, at: memory.byteOffset / 4, step: rowStride / 2, isFlat };
}

/** Values that follow each other need not have the parameter's shape. */
function gradientPlace(
  { memory, layout, shape, columns, rowStride }: GpuTensor,
  parameter: GpuTensor,
): RowPart["gradient"] {
  const isFlat = rowStride === columns;
  if (!isFlat && columns !== parameter.columns)
    throw new GradstepError(
      `A gradient has the shape [${shape.join(", ")}] and a row stride of ${rowStride}; expected rows of ${parameter.columns} values, as in the parameter's shape [${parameter.shape.join(", ")}].`,
      { code: "INVALID_GRADIENT" },
    );
  if (layout?.dtype === "u32")
    throw new GradstepError(
      `A gradient is a tensor of u32; expected f32 or f16. Wrap its buffer with another dtype.`,
      { code: "UNSUPPORTED" },
    );
  const unit = layout?.dtype === "f16" ? 1 : 2;
  const step = isFlat ? parameter.columns : rowStride;
  return { buffer: memory.buffer, at: memory.byteOffset / 2, step: step * unit, unit };
}
