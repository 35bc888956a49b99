import { isPromise } from "./is-promise.js";

/**
 * Whether values can be found by name in it. Lists, maps, promises, dates and buffers have no names, so that they would pass
 * for an object without any. Proxies that throw have none, either.
 */
export function hasNames(value: unknown): value is Readonly<Record<string, unknown>> {
  try {
    return (
      /^\[object (Object|Module)\]$/.test(Object.prototype.toString.call(value)) &&
      !(Symbol.iterator in (value as object)) &&
      !isPromise(value)
    );
  } catch {
    return false;
  }
}
