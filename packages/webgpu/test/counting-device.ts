/** The number of calls of a device and its queue, by name. */
export type Counts = Record<string, number>;

/**
 * A device that counts its calls, and can report other limits than it has.
 */
export function countingDevice(
  device: GPUDevice,
  limits: Partial<Record<keyof GPUSupportedLimits, number>> = {},
): { readonly device: GPUDevice; readonly counts: Counts } {
  const counts: Counts = {};
  const counted = <T extends object>(target: T, replaced: Readonly<Record<string, unknown>>): T =>
    new Proxy(target, {
      get(_, key) {
        if (typeof key === "string" && Object.hasOwn(replaced, key)) return replaced[key];
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== "function") return value;
        return (...parameters: unknown[]): unknown => {
          counts[String(key)] = (counts[String(key)] ?? 0) + 1;
          return (value as (...all: unknown[]) => unknown).apply(target, parameters);
        };
      },
    });
  const own = new Proxy(device.limits, {
    get: (target, key) =>
      limits[key as keyof GPUSupportedLimits] ?? (Reflect.get(target, key, target) as unknown),
  });
  return {
    device: counted(device, {
      limits: own,
      queue: counted(device.queue, {}),
      // The device outlives the test, and Node warns of many listeners.
      addEventListener: () => {},
    }),
    counts,
  };
}

/** An encoder that counts its passes and their dispatches, and forwards them to the real one. */
export function countingEncoder(encoder: GPUCommandEncoder): {
  readonly encoder: GPUCommandEncoder;
  readonly counts: { dispatches: number; passes: number };
} {
  const counts = { dispatches: 0, passes: 0 };
  const pass = (real: GPUComputePassEncoder): GPUComputePassEncoder => {
    counts.passes += 1;
    return {
      setPipeline: real.setPipeline.bind(real),
      setBindGroup: real.setBindGroup.bind(real),
      dispatchWorkgroups: (x: number, y: number) => {
        counts.dispatches += 1;
        real.dispatchWorkgroups(x, y);
      },
      end: real.end.bind(real),
    } as unknown as GPUComputePassEncoder;
  };
  const wrapped = { beginComputePass: () => pass(encoder.beginComputePass()) };
  return { encoder: wrapped as unknown as GPUCommandEncoder, counts };
}
