import { didYouMean } from "../argument-checks/did-you-mean.js";
import { GradstepError, list } from "../errors.js";

/**
 * The last object of a prototype chain: setting a property that nothing in the chain has is an error once the object is
 * sealed, where JavaScript would say that the object is not extensible. Properties that exist are found before it, so access
 * to them costs nothing.
 */
const rejectingPrototype: object = /* @__PURE__ */ new Proxy(
  {},
  {
    set(_, key, value, receiver: object) {
      // Under construction: bundlers for older targets turn class fields into assignments.
      if (Object.isExtensible(receiver))
        return Reflect.defineProperty(receiver, key, {
          value,
          writable: true,
          enumerable: true,
          configurable: true,
        });
      const known = Object.keys(receiver);
      throw new GradstepError(
        `There is no property "${String(key)}" to set; expected one of ${list(known)}.${didYouMean(key, known)}`,
        { code: "UNKNOWN_OPTION" },
      );
    },
  },
);

/**
 * Makes an object, or all instances of a class whose prototype this is, refuse unknown properties once it is sealed, and
 * properties that can only be read.
 */
export function rejectUnknownProperties<T extends object>(target: T): T {
  for (const [key, property] of Object.entries(Object.getOwnPropertyDescriptors(target))) {
    if (property.get === undefined || property.set !== undefined) continue;
    Object.defineProperty(target, key, {
      set() {
        throw new GradstepError(`"${key}" cannot be set: it can only be read.`, {
          code: "UNKNOWN_OPTION",
        });
      },
    });
  }
  return Object.setPrototypeOf(target, rejectingPrototype) as T;
}
