import { nodeGpu } from "@gradstep/webgpu/node";

/** The reason why there is no WebGPU, or undefined. */
const missing = await nodeGpu().then(
  () => undefined,
  (error: unknown) => String(error),
);
if (missing !== undefined) console.warn(`Skipped: ${missing}`);

// In CI on Linux, a machine without WebGPU is a failure and not a skip.
const mustRun = process.env.CI !== undefined && process.platform === "linux";

/** Tests that need WebGPU are skipped. */
export const skipsGpu = missing !== undefined && !mustRun;
