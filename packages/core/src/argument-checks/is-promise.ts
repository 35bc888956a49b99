import { propertyOf } from "./property-of.js";

/** Whether a value can be awaited: a promise of any realm or library. */
export function isPromise(value: unknown): boolean {
  return typeof propertyOf(value, "then") === "function";
}
