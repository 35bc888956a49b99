import { memoryImport, mostPages } from "../memory/layout.js";

/** Bytes of wasm: a part of a module, or of a function's body. */
export type Code = readonly number[];

/** One after the other. `flat` would take many times as long. */
export const join = (...parts: readonly Code[]): Code => ([] as number[]).concat(...parts);

/** Types of values. */
export const i32 = 0x7f;
export const i64 = 0x7e;
export const v128 = 0x7b;

/** An unsigned integer in LEB128. */
export function unsigned(value: number): Code {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return bytes;
}

/** A list of items, preceded by their number. */
function list(items: readonly Code[]): Code {
  return join(unsigned(items.length), ...items);
}

/** Code, preceded by its length in bytes. */
function sized(code: Code): Code {
  return join(unsigned(code.length), code);
}

function text(value: string): Code {
  return sized([...new TextEncoder().encode(value)]);
}

function section(id: number, items: readonly Code[]): Code {
  return join([id], sized(list(items)));
}

/** A function without results: its parameters are i32. */
export interface WasmFunction {
  readonly parameters: number;
  /** Types of the locals after the parameters. */
  readonly locals: Code;
  readonly body: Code;
  /** The name under which it is exported, if it is. */
  readonly name?: string;
}

/** A module of these functions, over an imported memory. They call each other by their index in the list. */
export function encodeModule(
  functions: readonly WasmFunction[],
  shared: boolean,
): Uint8Array<ArrayBuffer> {
  const limits = shared ? [3, 0, ...unsigned(mostPages)] : [0, 0];
  const memory = join(text(memoryImport.module), text(memoryImport.name), [2], limits);
  // One type for each function, so that a function's index is its type's.
  const types = functions.map(({ parameters }) =>
    join([0x60], list(Array<Code>(parameters).fill([i32])), [0]),
  );
  const exports = functions.flatMap(({ name }, i) =>
    name === undefined ? [] : [join(text(name), [0], unsigned(i))],
  );
  const bodies = functions.map(({ locals, body }) =>
    sized(join(list(locals.map((type) => [1, type])), body, [0x0b])),
  );
  const magic = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
  return Uint8Array.from(
    join(
      magic,
      section(1, types),
      section(2, [memory]),
      section(
        3,
        functions.map((_, i) => unsigned(i)),
      ),
      section(7, exports),
      section(10, bodies),
    ),
  );
}
