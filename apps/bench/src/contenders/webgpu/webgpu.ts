import { webgpu as backendOn, type WebGpu } from "@gradstep/webgpu";
import type { Contender } from "../contender.js";
import { gradstepContender, ownMemory, type Encoder, type StepBy } from "../gradstep.js";
import { sharedDevice } from "./device.js";

/** gradstep, each step recorded into a command encoder of the caller's. */
export const webgpu: Contender = gradstepContender(
  "webgpu",
  "gradstep on WebGPU, encoded into the caller's command encoder: a submit a step",
  async () => {
    const backend = backendOn({ device: await sharedDevice() });
    return { ...ownMemory(backend), stepper: (optimizer) => encoding(backend, optimizer) };
  },
);

function encoding({ device }: WebGpu, optimizer: Encoder): StepBy {
  return {
    step: (gradients) => {
      const encoder = device.createCommandEncoder();
      optimizer.encode(encoder, gradients);
      device.queue.submit([encoder.finish()]);
    },
    settle: () => device.queue.onSubmittedWorkDone().then(() => undefined),
  };
}
