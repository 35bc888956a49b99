/** Random values of one seed. */
export interface Random {
  /** From 0 to below 1. */
  unit(): number;
  /** From `min` to `max`, both included. */
  integer(min: number, max: number): number;
  chance(probability: number): boolean;
  pick<T>(values: readonly T[]): T;
  /** Between −1 and 1; some are zeros of either sign. */
  values(length: number): Float32Array;
}

/** Xorshift, so that a case depends on its seed alone. */
export function randomOf(seed: number): Random {
  let x = (seed * 2654435761 + 1) >>> 0 || 1;
  const unit = (): number => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) / 2 ** 32;
  };
  const integer = (min: number, max: number): number => min + Math.floor(unit() * (max - min + 1));
  return {
    unit,
    integer,
    chance: (probability) => unit() < probability,
    pick: (values) => values[integer(0, values.length - 1)],
    values: (length) =>
      Float32Array.from({ length }, () => {
        const value = unit();
        return value < 0.05 ? 0 : value < 0.1 ? -0 : unit() * 2 - 1;
      }),
  };
}

/** The same data with the bits of all arrays in hexadecimal, so that NaN and signed zeros compare. */
export function bitsOf(value: unknown): unknown {
  if (ArrayBuffer.isView(value))
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("hex");
  if (Array.isArray(value)) return value.map(bitsOf);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, bitsOf(one)]));
}
