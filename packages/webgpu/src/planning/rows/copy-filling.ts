import { GradstepError, type ParameterCopy } from "@gradstep/core";
import { checkLength } from "@gradstep/core/internal";
import type { GpuTensor } from "../../memory/gpu-tensor.js";
import { copyProgram } from "../../shaders/copy-kernel.js";
import type { RowKernelLayout } from "../../shaders/kernel-layout.js";
import type { BindingLimits, Dispatch } from "../dispatch/dispatch.js";
import { planRowDispatches } from "./row-dispatches.js";
import { copyView } from "./row-item.js";

/**
 * Plans the dispatches that fill a copy.
 * @throws {GradstepError} `LENGTH_MISMATCH`, `UNSUPPORTED`
 */
export function planCopyFilling(
  parameter: GpuTensor,
  copy: ParameterCopy,
  limits: BindingLimits,
): Dispatch<RowKernelLayout>[] {
  const { size, layout, memory, isPadded } = parameter;
  checkLength("The copy", copy.target.size, size);
  if (layout !== undefined && layout.dtype !== "f32") {
    throw new GradstepError(`Got a tensor of ${layout.dtype} to copy; expected f32.`, {
      code: "UNSUPPORTED",
    });
  }
  // A parameter without gaps can have another shape than its copy.
  const shaped = layout === undefined ? (copy.target as unknown as GpuTensor) : parameter;
  const { rows, columns } = shaped;
  const view = copyView(copy);
  const target = copy.target as unknown as GpuTensor;
  const isContiguous = target.rowStride === target.columns;
  const item = {
    kernel: copyProgram,
    rows,
    columns,
    locations: new Map([
      [
        "p",
        {
          buffer: memory.buffer,
          start: memory.byteOffset / 4,
          length: memory.byteLength / 4,
          perRow: columns,
          width: columns,
          stride: layout?.rowStride ?? columns,
          isPadded,
        },
      ],
    ]),
    gradient: undefined,
    gradientActivation: undefined,
    clearsGradient: false,
    mask: undefined,
    unselectedRows: "keep" as const,
    list: undefined,
    isFused: false,
    gradientRows: rows,
    copies: [isContiguous ? { ...view, stride: columns * view.unit } : view],
    scalars: new Float64Array(0),
    dimensions: { matrices: 1, rows, columns },
    perRowOf: (): number => columns,
  };
  return planRowDispatches([{ item, startsOf: () => [] }], limits);
}
