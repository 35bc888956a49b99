import { GradstepError } from "@gradstep/core";
import { isRowKernelLayout, type KernelLayout } from "../../shaders/kernel-layout.js";
import type { KernelProgram } from "../../shaders/kernel-program.js";

/** A kernel that binds a number of storage buffers. */
interface BoundKernel {
  readonly needed: number;
  readonly program: KernelProgram;
  readonly layout: KernelLayout;
}

/**
 * Checks that a device can bind all storage buffers of a kernel.
 * @param label names the variant
 * @throws {GradstepError} `UNSUPPORTED`
 */
export function checkBindingCount(
  { limits }: GPUDevice,
  label: string,
  { needed, program, layout }: BoundKernel,
): void {
  const { maxStorageBuffersPerShaderStage: limit } = limits;
  if (needed <= limit) return;
  const bound = program.arrays.filter(
    ({ name, isScratch }) => !isScratch && name !== "p" && name !== "g",
  );
  const temporaries = bound.filter(({ name }) => name.startsWith("@")).length;
  const isRows = isRowKernelLayout(layout);
  const parts = [
    `${bound.length - temporaries} slots`,
    ...(temporaries > 0 ? [`${temporaries} temporaries`] : []),
    ...(isRows && layout.mask ? ["a mask"] : []),
    ...(isRows && layout.copies > 0
      ? [layout.copies > 1 ? `${layout.copies} copies` : "a copy"]
      : []),
  ];
  throw new GradstepError(
    `${label} with ${parts.join(", ")} needs ${needed} storage buffers in a shader; this device allows ${limit}. Request a higher maxStorageBuffersPerShaderStage.`,
    { code: "UNSUPPORTED" },
  );
}
