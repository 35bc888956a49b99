import type { Update } from "@gradstep/core";
import type { GpuTensor } from "../../memory/gpu-tensor.js";
import { bindingLimitsOf } from "../dispatch/dispatch.js";
import { wordView } from "../rows/row-item.js";
import { planRuns } from "../run/run-plan.js";
import { ScratchLayout } from "../run/scratch-layout.js";
import type { StepProgram } from "./step-plan.js";

/**
 * Checks that a device can execute an update, by planning its dispatches. Selected rows may be too much for it: their mask,
 * or list, is one more storage buffer.
 *
 * @throws {GradstepError} `UNSUPPORTED`, `INVALID_MEMORY`, `INVALID_GRADIENT`, as the run
 */
export function checkUpdate(
  device: GPUDevice,
  program: StepProgram,
  update: Update,
  selectsRows: boolean,
): void {
  // Nothing is executed: what is not on the device yet only has to be in other buffers than the rest.
  const otherMemory = () => ({ buffer: {} as GPUBuffer, byteOffset: 0, start: 0, stride: 1 });
  const isStaged = update.gradient !== update.parameter;
  const gradient = isStaged ? update.gradient : ({ memory: otherMemory() } as unknown as GpuTensor);
  const mask = selectsRows ? (update.mask ?? noRows) : undefined;
  const run = {
    ...program,
    updates: [{ ...update, mask, gradient }],
    temporaries: { viewOf: otherMemory },
    maskOf: () =>
      mask && ("memory" in mask ? wordView(mask as unknown as GpuTensor) : otherMemory()),
    listOf: () => undefined,
  };
  planRuns([run], new ScratchLayout(), bindingLimitsOf(device), false);
}

const noRows = new Uint32Array(0);
