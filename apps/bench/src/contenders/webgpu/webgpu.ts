import { webgpu as backendOn, type WebGpu } from "@gradstep/webgpu";
import type { Contender } from "../contender.js";
import { gradstepContender, inBackendMemory, type Encoder, type Stepping } from "../gradstep.js";
import type { DeviceSource } from "./device.js";

/** gradstep, which records each step into a command encoder of the benchmark. */
export const webgpu = (deviceOf: DeviceSource): Contender =>
  gradstepContender(
    "webgpu",
    "gradstep on WebGPU, encoded into a given command encoder, one submit per step",
    async () => {
      const backend = backendOn({ device: await deviceOf() });
      return { ...inBackendMemory(backend), stepping: (optimizer) => encoding(backend, optimizer) };
    },
  );

function encoding({ device }: WebGpu, optimizer: Encoder): Stepping {
  return {
    step: (gradients) => {
      const encoder = device.createCommandEncoder();
      optimizer.encode(encoder, gradients);
      device.queue.submit([encoder.finish()]);
    },
    waitUntilDone: () => device.queue.onSubmittedWorkDone().then(() => undefined),
  };
}
