import { readFileSync } from "node:fs";

/** Precisions in which Keras has made the files. */
export const floatTypes = ["float32", "float64"] as const;
export type FloatType = (typeof floatTypes)[number];

/** What Keras computes after a file was written. */
export interface NextCalls {
  /** `v.path` of the trainable variables. */
  readonly variables: readonly string[];
  readonly calls: readonly {
    readonly gradients: readonly string[];
    readonly values: readonly string[];
  }[];
}

const url = (name: string): URL => new URL(`fixtures/${name}`, import.meta.url);

/** A file that Keras has written. */
export function fixture(name: string): Uint8Array {
  return new Uint8Array(readFileSync(url(name)));
}

/** The next calls of all cases. */
export function nextCalls(floatType: FloatType): Readonly<Record<string, NextCalls>> {
  return JSON.parse(readFileSync(url(`steps.${floatType}.json`), "utf8")) as Record<
    string,
    NextCalls
  >;
}

/** Little-endian f64 values in base64. */
export function decode(text: string): Float64Array {
  const bytes = Uint8Array.from(Buffer.from(text, "base64"));
  return new Float64Array(bytes.buffer);
}
