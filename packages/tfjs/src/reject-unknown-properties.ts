import { didYouMean, GradstepError } from "@gradstep/core";

/** Prototypes of classes whose own instances refuse unknown properties. */
const closed = new WeakSet<object>();

/**
 * Makes it an error to set a property that an instance of a class does not have, such as a hyperparameter of another rule
 * or library: JavaScript would add one that has no effect. Subclasses may add properties.
 *
 * @param prototype of the class.
 */
export function rejectUnknownProperties(prototype: object): void {
  closed.add(prototype);
  const base = Object.getPrototypeOf(prototype) as object;
  // A class that extends such a class inherits the check.
  if (closed.has(base)) return;
  const rejecting = new Proxy(base, {
    set(target, key, value, receiver: object) {
      const isClosed = closed.has(Object.getPrototypeOf(receiver) as object);
      if (!isClosed || typeof key === "symbol" || key in target)
        return Reflect.set(target, key, value, receiver);
      const known = Object.keys(receiver);
      throw new GradstepError(
        `This optimizer has no property "${key}" to set; expected one of ${known.join(", ")}.${didYouMean(key, known)}`,
        { code: "UNKNOWN_OPTION" },
      );
    },
    // So that `instanceof` finds the base class.
    getPrototypeOf: () => base,
  });
  Object.setPrototypeOf(prototype, rejecting);
}
