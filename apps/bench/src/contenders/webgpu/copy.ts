import { parametersIn } from "../../workloads/workload.js";
import type { Contender } from "../contender.js";
import { sharedDevice, usage } from "./device.js";

/** Bytes that Adam reads (p, g, m, v) and writes (p, m, v) for a parameter. */
const bytesMoved = 7 * 4;

/** What the GPU's memory can do: its own copy, of a buffer so long that it moves as many bytes as a step. */
export const copy: Contender = {
  name: "copy",
  description: "no step: a buffer copy that reads and writes as many bytes in all",
  isYardstick: true,
  start: async ({ workload }) => {
    const device = await sharedDevice();
    // As many are read as are written.
    const size = (parametersIn(workload) * bytesMoved) / 2;
    const make = (): GPUBuffer =>
      device.createBuffer({ size, usage: usage.COPY_SRC | usage.COPY_DST });
    const [from, to] = [make(), make()];
    return {
      step: () => {
        const encoder = device.createCommandEncoder();
        encoder.copyBufferToBuffer(from, 0, to, 0, size);
        device.queue.submit([encoder.finish()]);
      },
      settle: () => device.queue.onSubmittedWorkDone().then(() => undefined),
      read: async () => [],
      stateBytes: async () => 0,
      dispose: () => {
        from.destroy();
        to.destroy();
      },
    };
  },
};
