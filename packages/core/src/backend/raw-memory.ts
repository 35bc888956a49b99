import { propertyOf } from "../argument-checks/property-of.js";

/**
 * Whether a value is memory that a backend may wrap, and no tensor yet: an ArrayBuffer, a GPUBuffer. Core has no types of
 * devices, so the name of the class decides. Nothing but error messages may depend on it.
 */
export function isRawMemory(value: unknown): boolean {
  if (value === null || typeof value !== "object") return false;
  return String(propertyOf(propertyOf(value, "constructor"), "name")).endsWith("Buffer");
}

/** The end of an error message about memory in place of a tensor: how to make a tensor of it. */
export function wrapRemedy(shape: readonly number[] | undefined, dtype?: string): string {
  const options = [
    shape === undefined ? "shape" : `shape: [${shape.join(", ")}]`,
    ...(dtype === undefined ? [] : [`dtype: "${dtype}"`]),
  ];
  return `Make a tensor of it with backend.wrap(buffer, { ${options.join(", ")} }).`;
}
