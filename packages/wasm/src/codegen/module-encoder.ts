import { maxPages, memoryImport } from "../memory/batch-layout.js";

/**
 * Bytes of wasm: a part of a module, or of a function body. Parts are nested, and only joined where a length is needed:
 * joined at each level, they would be copied once per level.
 */
export type Code = readonly (number | Code)[];

/** Code of several parts, one after the other. */
export function concat(...parts: readonly Code[]): Code {
  return parts;
}

/** Appends the bytes of code, and returns them. */
function bytesOf(code: Code, bytes: number[] = []): number[] {
  for (const part of code) {
    if (typeof part === "number") bytes.push(part);
    else bytesOf(part, bytes);
  }
  return bytes;
}

/** Value types. */
export const i32 = 0x7f;
export const i64 = 0x7e;
export const v128 = 0x7b;

/** An unsigned integer in LEB128. */
export function leb128(value: number): readonly number[] {
  const bytes: number[] = [];
  let remaining = value;
  while (remaining >= 0x80) {
    bytes.push((remaining % 0x80) + 0x80);
    remaining = Math.floor(remaining / 0x80);
  }
  bytes.push(remaining);
  return bytes;
}

/** A vector of the binary format: the number of items, then the items. */
function vector(items: readonly Code[]): Code {
  return concat(leb128(items.length), ...items);
}

/** The length of the code in bytes, then the code. */
function sized(code: Code): Code {
  const bytes = bytesOf(code);
  return concat(leb128(bytes.length), bytes);
}

/** A name of ASCII characters. Not through TextEncoder: jsdom and AudioWorklets have none. */
function asciiName(value: string): Code {
  return sized(Array.from(value, (character) => character.charCodeAt(0)));
}

function section(id: number, items: readonly Code[]): Code {
  return concat([id], sized(vector(items)));
}

/** A function without results whose parameters are all i32. */
export interface WasmFunction {
  /** The number of parameters. */
  readonly parameters: number;
  /** Types of the locals that follow the parameters. */
  readonly locals: Code;
  readonly body: Code;
  /** The ASCII name under which the function is exported; not exported if left out. */
  readonly name?: string;
}

/** The memory that a module imports. */
export interface ImportedMemory {
  /** Whether it is shared by threads. False if left out. */
  readonly shared?: boolean | undefined;
}

/** Encodes a module that imports its memory. Functions call each other by their index in the list. */
export function encodeModule(
  functions: readonly WasmFunction[],
  { shared = false }: ImportedMemory = {},
): Uint8Array<ArrayBuffer> {
  const limits = shared ? [3, 0, ...leb128(maxPages)] : [0, 0];
  const memory = concat(asciiName(memoryImport.module), asciiName(memoryImport.name), [2], limits);
  // One type per function, so that the index of a function is also the index of its type.
  const types = functions.map(({ parameters }) =>
    concat([0x60], vector(Array<Code>(parameters).fill([i32])), [0]),
  );
  const exports = functions.flatMap(({ name }, i) =>
    name === undefined ? [] : [concat(asciiName(name), [0], leb128(i))],
  );
  const bodies = functions.map(({ locals, body }) =>
    sized(concat(vector(locals.map((type) => [1, type])), body, [0x0b])),
  );
  const magic = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
  return Uint8Array.from(
    bytesOf(
      concat(
        magic,
        section(1, types),
        section(2, [memory]),
        section(
          3,
          functions.map((_, i) => leb128(i)),
        ),
        section(7, exports),
        section(10, bodies),
      ),
    ),
  );
}
