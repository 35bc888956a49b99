import { webgpu as backendOn, type WebGpu } from "@gradstep/webgpu";
import type { Contender } from "../contender.js";
import { gradstepContender, ownMemory, type Encoder, type StepBy } from "../gradstep.js";
import { sharedDevice } from "./device.js";

/** Steps in one command encoder: as many as somebody might record who submits once in a while. */
const stepsInEncoder = 32;

/** gradstep, each step recorded into a command encoder of the caller's. */
export const webgpu: Contender = gradstepContender(
  "webgpu",
  "gradstep on WebGPU, encoded into the caller's command encoder",
  async () => {
    const backend = backendOn({ device: await sharedDevice() });
    return { ...ownMemory(backend), stepper: (optimizer) => encoding(backend, optimizer) };
  },
);

function encoding({ device }: WebGpu, optimizer: Encoder): StepBy {
  let encoder: GPUCommandEncoder | undefined;
  let steps = 0;
  const submit = (): void => {
    if (encoder !== undefined) device.queue.submit([encoder.finish()]);
    encoder = undefined;
    steps = 0;
  };
  return {
    step: (gradients) => {
      encoder ??= device.createCommandEncoder();
      optimizer.encode(encoder, gradients);
      steps += 1;
      if (steps === stepsInEncoder) submit();
    },
    settle: async () => {
      submit();
      await device.queue.onSubmittedWorkDone();
    },
  };
}
