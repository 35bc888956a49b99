import { nodeGpu } from "@gradstep/webgpu/node";

/** What computes. */
export interface Gpu {
  /** As its driver calls it. */
  readonly description: string;
  /** Whether it is none, but a driver that computes on the CPU. */
  readonly isSoftware: boolean;
}

/**
 * Gives TF.js, which takes Node for a browser here, a `navigator.gpu`, and loads its webgpu backend.
 * @throws {GradstepError} `UNSUPPORTED` where Node finds no GPU and no driver in software
 */
export async function gpuForTfjs(): Promise<Gpu> {
  const { gpu, description } = await nodeGpu();
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  const { globals } = (await import("webgpu")) as { globals: object };
  const scope = Object.assign(globalThis as { navigator?: object }, globals);
  scope.navigator ??= {};
  Object.defineProperty(scope.navigator, "gpu", { value: gpu, configurable: true });
  await import("@tensorflow/tfjs-backend-webgpu");
  return { description, isSoftware: adapter?.info.isFallbackAdapter === true };
}
