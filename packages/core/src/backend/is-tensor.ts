import type { Backend, Tensor } from "./backend.js";

/** Whether it is a tensor of any backend. Proxies that throw are none. */
export function isTensor(value: unknown): value is Tensor {
  try {
    return (
      value !== null &&
      typeof value === "object" &&
      "backend" in value &&
      typeof (value.backend as Backend | null)?.compile === "function" &&
      "memory" in value &&
      "size" in value
    );
  } catch {
    return false;
  }
}
