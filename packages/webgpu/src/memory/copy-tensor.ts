import { GradstepError } from "@gradstep/core";
import { checkLength } from "@gradstep/core/internal";
import { bufferUsage } from "../device/webgpu-constants.js";
import type { GpuTensor } from "./gpu-tensor.js";

/**
 * Records a copy of all values of a plain tensor to another, in another buffer.
 * @throws {GradstepError} `LENGTH_MISMATCH`, `UNSUPPORTED`, `INVALID_MEMORY`, `DISPOSED`, `DEVICE_LOST`
 */
export function copyTensor(encoder: GPUCommandEncoder, source: GpuTensor, target: GpuTensor): void {
  source.checkLive();
  target.checkLive();
  checkLength("The target", target.size, source.size);
  for (const { layout, rowStride } of [source, target]) {
    if (layout === undefined) continue;
    throw new GradstepError(
      `Got a tensor of ${layout.dtype} with a row stride of ${rowStride} to copy; expected f32 without gaps between rows.`,
      { code: "UNSUPPORTED" },
    );
  }
  source.checkUsage(bufferUsage.COPY_SRC, "copied", "COPY_SRC");
  target.checkUsage(bufferUsage.COPY_DST, "written to", "COPY_DST");
  const [from, to] = [source.memory, target.memory];
  if (from.buffer === to.buffer) {
    throw new GradstepError(
      "Got two tensors in one GPUBuffer to copy; expected separate buffers, since WebGPU copies between two.",
      { code: "INVALID_MEMORY" },
    );
  }
  encoder.copyBufferToBuffer(
    from.buffer,
    from.byteOffset,
    to.buffer,
    to.byteOffset,
    source.size * 4,
  );
}
