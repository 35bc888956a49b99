/** What a browser tells about its GPU. */
export interface GpuAdapter {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  readonly isFallbackAdapter: boolean;
  readonly features: readonly string[];
  readonly maxBufferSize: number;
  readonly maxStorageBufferBindingSize: number;
  readonly maxComputeInvocationsPerWorkgroup: number;
}

/** The adapter that gradstep requests; undefined if there is none. */
export async function gpuAdapter(): Promise<GpuAdapter | undefined> {
  const { gpu } = navigator as { readonly gpu?: GPU };
  try {
    const adapter = await gpu?.requestAdapter({ powerPreference: "high-performance" });
    if (!adapter) return undefined;
    const { vendor, architecture, device, description, isFallbackAdapter } = adapter.info;
    const { maxBufferSize, maxStorageBufferBindingSize, maxComputeInvocationsPerWorkgroup } =
      adapter.limits;
    return {
      vendor,
      architecture,
      device,
      description,
      isFallbackAdapter,
      features: [...adapter.features].sort(),
      maxBufferSize,
      maxStorageBufferBindingSize,
      maxComputeInvocationsPerWorkgroup,
    };
  } catch {
    return undefined;
  }
}
