import {
  GradstepError,
  show,
  type CheckedActivation,
  type Dimensions,
  type ParameterCopy,
  type UnselectedRows,
} from "@gradstep/core";
import { countOf } from "@gradstep/core/internal";
import type { GpuTensor } from "../../memory/gpu-tensor.js";
import type { KernelProgram } from "../../shaders/kernel-program.js";
import type { gradientTypeCode } from "../../shaders/row-parameters.js";
import type { RowListView, RowView } from "../../memory/buffer-views.js";
import type { ArrayLocation, StepTarget } from "../dispatch/step-target.js";

/** Rows of values that can be f16, in units of two bytes; a value is `unit` of them. */
export interface ValueView extends RowView {
  readonly unit: 1 | 2;
}

/** The gradient of an item. */
export interface GradientView extends ValueView {
  readonly type: keyof typeof gradientTypeCode;
  readonly scale: number;
}

/** A copy of the parameter of an item. */
export interface CopyView extends ValueView {
  readonly activation: CheckedActivation;
}

/** What a kernel does with one tensor by rows. */
export interface RowItem {
  readonly kernel: KernelProgram;
  readonly rows: number;
  /** Indices of the kernel per row. */
  readonly columns: number;
  /** By the names of the kernel's arrays, without the gradient; also the parameter. */
  readonly locations: ReadonlyMap<string, ArrayLocation>;
  /** Undefined if the kernel does not read it. */
  readonly gradient: GradientView | undefined;
  /** The activation of the parameter that the gradient refers to; undefined if it refers to the parameter itself. */
  readonly gradientActivation: CheckedActivation | undefined;
  readonly clearsGradient: boolean;
  /** In words. */
  readonly mask: RowView | undefined;
  readonly unselectedRows: UnselectedRows;
  /** The rows to be updated; all if undefined. */
  readonly list: RowListView | undefined;
  /** The number of rows of the gradient, which can differ for listed rows. */
  readonly gradientRows: number;
  readonly copies: readonly CopyView[];
  /** Whether one invocation updates a row in all passes. */
  readonly isFused: boolean;
  /** The scalars of the parameter's group, compared by identity. */
  readonly scalars: Float64Array;
  readonly dimensions: Dimensions;
  readonly perRowOf: StepTarget["perRowOf"];
}

interface RowItemOptions {
  /** Whether the kernel sets gradients to 0. */
  readonly clears?: boolean;
  /** Whether its invocations run all passes for a row. */
  readonly isFused?: boolean;
}

/**
 * Where the arrays of a kernel are.
 * @throws {GradstepError} `UNSUPPORTED` for types that cannot be used; `INVALID_GRADIENT`
 */
export function rowItemOf(
  kernel: KernelProgram,
  { update, dimensions, rows, perRowOf, mask, list, locations }: StepTarget,
  { clears = false, isFused = false }: RowItemOptions = {},
): RowItem {
  const { over, arrays } = kernel;
  const { unselectedRows, scalars, gradientActivation } = update;
  // Tensors, and the columns of a single matrix, have values of all rows, so that no mask applies to them.
  const perRow = perRowOf(over);
  const reads = (name: string): boolean => arrays.some((one) => one.name === name);
  const writesParameter = arrays.some(({ name, isWritten }) => name === "p" && isWritten);
  if (list !== undefined && gradientActivation?.kind === "normalize") {
    throw new GradstepError(
      "Got a sparse gradient with respect to normalized rows; expected one with respect to the parameter, or a dense gradient.",
      { code: "UNSUPPORTED" },
    );
  }
  return {
    kernel,
    rows: perRow > 0 ? rows : 1,
    columns: perRow > 0 ? perRow : countOf(over, dimensions),
    locations,
    gradient: reads("g")
      ? gradientView(
          update.gradient as unknown as GpuTensor,
          update.parameter as unknown as GpuTensor,
        )
      : undefined,
    gradientActivation: reads("g") ? gradientActivation : undefined,
    clearsGradient: clears && reads("g"),
    mask: perRow > 0 ? mask : undefined,
    unselectedRows,
    list,
    gradientRows: list === undefined ? rows : update.gradient.size / (update.parameter.size / rows),
    isFused,
    copies: writesParameter ? update.copies.map(copyView) : [],
    scalars,
    dimensions,
    perRowOf,
  };
}

/**
 * A mask or indices: one u32 per row, in words; with a stride of 0, a mask of the rows below a u32.
 * @throws {GradstepError} `INVALID_MEMORY` for anything but a tensor; `UNSUPPORTED`
 */
export function wordView(tensor: GpuTensor): RowView {
  const { memory, layout, rowStride, columns } = tensor;
  if (layout?.dtype !== "u32" || (columns > 1 && rowStride !== columns)) {
    const isTensor = memory !== undefined;
    const got = isTensor
      ? `a tensor of ${layout?.dtype ?? "f32"} with ${columns} values per row`
      : show(tensor);
    throw new GradstepError(
      `Got a mask or indices in ${got}; expected one u32 per row. Wrap the buffer with { shape: [rows], dtype: "u32" }.`,
      { code: isTensor ? "UNSUPPORTED" : "INVALID_MEMORY" },
    );
  }
  const stride = columns > 1 ? 1 : rowStride;
  return { buffer: memory.buffer, start: memory.byteOffset / 4, stride };
}

/** @throws {GradstepError} `UNSUPPORTED` */
export function copyView({ target, activation }: ParameterCopy): CopyView {
  const { memory, layout, rowStride } = target as unknown as GpuTensor;
  const dtype = layout?.dtype ?? "f32";
  if (dtype !== "f16" && dtype !== "f32") {
    throw new GradstepError(`Got a copy of ${dtype}; expected f32 or f16.`, {
      code: "UNSUPPORTED",
    });
  }
  const unit = dtype === "f16" ? 1 : 2;
  const { buffer, byteOffset } = memory;
  return { buffer, start: byteOffset / 2, stride: rowStride * unit, unit, activation };
}

/** A gradient without gaps may have another shape than its parameter. @throws {GradstepError} `INVALID_GRADIENT` */
function gradientView(
  { memory, layout, shape, columns, rowStride }: GpuTensor,
  parameter: GpuTensor,
): GradientView {
  const isContiguous = rowStride === columns;
  if (!isContiguous && columns !== parameter.columns)
    throw new GradstepError(
      `Got a gradient of shape [${shape.join(", ")}] with a row stride of ${rowStride}; expected rows of ${parameter.columns} values, as in the parameter's shape [${parameter.shape.join(", ")}].`,
      { code: "INVALID_GRADIENT" },
    );
  const dtype = layout?.dtype ?? "f32";
  const unit = dtype === "f16" ? 1 : 2;
  const stride = isContiguous ? parameter.columns : rowStride;
  return {
    buffer: memory.buffer,
    start: memory.byteOffset / 2,
    stride: stride * unit,
    unit,
    type: dtype === "i32" || dtype === "u32" ? dtype : "float",
    scale: layout?.scale ?? 1,
  };
}
