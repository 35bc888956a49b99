/** A proxy that can no longer be used. */
export function revoked(target: object): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

function detached(): Float32Array {
  const array = new Float32Array(4);
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
}

/** Values of every kind; functions make new ones for each call. */
export const wrongValues: readonly (readonly [string, () => unknown])[] = [
  ["undefined", () => undefined],
  ["null", () => null],
  ["true", () => true],
  ["NaN", () => Number.NaN],
  ["-1", () => -1],
  ["2^53", () => 2 ** 53],
  ["a bigint", () => 1n],
  ["a string", () => "x"],
  ["a symbol", () => Symbol("s")],
  ["a function", () => () => {}],
  ["an object", () => ({})],
  ["an object without a prototype", () => Object.create(null) as object],
  ["an object with a length", () => ({ length: 2 ** 53 })],
  ["an empty list", () => []],
  ["a list of null", () => [null]],
  ["a Map", () => new Map([["w", 1]])],
  ["a promise", () => Promise.resolve(1)],
  ["a Float32Array", () => new Float32Array(3)],
  ["a BigInt64Array", () => new BigInt64Array(2)],
  ["a detached array", detached],
  ["a revoked proxy", () => revoked({})],
  ["a revoked proxy of a list", () => revoked([])],
  ["a revoked proxy of a function", () => revoked(() => {})],
];

/**
 * The errors without a code of calls with up to four arguments, one of them a value of each kind and the others objects,
 * or the value, too. Each is a line: what was given, and the error.
 * @param isCoded whether an error has a code
 * @param make a new function, or method bound to a new object, for each call
 */
export async function uncodedErrors(
  isCoded: (error: unknown) => boolean,
  make: () => (...args: unknown[]) => unknown,
): Promise<string[]> {
  const found: string[] = [];
  for (const [what, value] of wrongValues)
    for (let length = 0; length <= 4; length += 1)
      for (let at = 0; at < Math.max(length, 1); at += 1) {
        const args = Array.from({ length }, (_, i) => (i === at || at % 2 === 1 ? value() : {}));
        try {
          const result = make()(...args);
          if (result instanceof Promise) await result;
        } catch (error) {
          if (!isCoded(error)) found.push(`${what} at ${at} of ${length}: ${String(error)}`);
        }
      }
  return found;
}
