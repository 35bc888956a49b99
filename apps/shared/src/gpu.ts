import { nodeGpu } from "@gradstep/webgpu/node";

/** A GPU, or a software driver. */
export interface Gpu {
  /** The driver's name for it. */
  readonly description: string;
  /** Whether it is a driver that computes on the CPU. */
  readonly isSoftware: boolean;
}

/** Finds a GPU or a software driver. @throws {GradstepError} `UNSUPPORTED` if there is neither */
export async function findGpu(): Promise<Gpu> {
  const { gpu, description } = await nodeGpu();
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  return { description, isSoftware: adapter?.info.isFallbackAdapter === true };
}

/**
 * Defines `navigator.gpu`, as in a browser, and loads the webgpu backend of TF.js.
 * @throws {GradstepError} `UNSUPPORTED` if there is neither a GPU nor a software driver
 */
export async function gpuForTfjs(): Promise<Gpu> {
  const found = await findGpu();
  const { gpu } = await nodeGpu();
  const { globals } = (await import("webgpu")) as { globals: object };
  const scope = Object.assign(globalThis as { navigator?: object }, globals);
  scope.navigator ??= {};
  Object.defineProperty(scope.navigator, "gpu", { value: gpu, configurable: true });
  await import("@tensorflow/tfjs-backend-webgpu");
  return found;
}
