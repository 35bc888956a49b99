import { cpuJs, wasm, type Backend } from "gradstep";
import { reference } from "gradstep/reference";
import { webgpu } from "@gradstep/webgpu";
import { nodeGpu } from "@gradstep/webgpu/node";

/** A device of a GPU or of a software driver; undefined without WebGPU. */
export const device = await nodeGpu().then(
  async ({ gpu }) => (await gpu.requestAdapter())!.requestDevice(),
  (error: unknown) => {
    // In CI on Linux, a machine without WebGPU is a failure and not a skip.
    if (process.env["CI"] !== undefined && process.platform === "linux") throw error;
    console.warn(`Without WebGPU: ${String(error)}`);
    return undefined;
  },
);

/** All backends that Node has here. */
export const backends: readonly [string, () => Backend][] = [
  ["reference", reference],
  ["cpu-js", () => cpuJs()],
  ["cpu-js exact", () => cpuJs({ exact: true })],
  ["wasm", () => wasm()],
  ...(device === undefined
    ? []
    : [["webgpu", () => webgpu({ device })] as [string, () => Backend]]),
];
