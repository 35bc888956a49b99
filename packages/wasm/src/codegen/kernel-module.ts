import { knownScalarsOf, type KnownScalars, type Variant } from "@gradstep/core";
import { emitWasm, scalarsOf } from "./kernel-emitter.js";
import {
  block,
  branch,
  branchIf,
  call,
  end,
  f32Const,
  f32Eq,
  f32Load,
  get,
  i32Add,
  i32And,
  i32Const,
  i32Eqz,
  i32Load,
  i32Sub,
  ifTrue,
  loop,
  otherwise,
  set,
} from "./instruction-set.js";
import { rowLength } from "../memory/layout.js";
import { open, share } from "../threads/control-block.js";
import { encodeModule, join, type Code, type WasmFunction } from "./module-encoder.js";

/** What can be chosen about a module. */
export interface ModuleOptions {
  /**
   * The memory is one that threads share. There is one variant then, and the module also exports `open` and `share`.
   */
  readonly shared?: boolean;
}

/**
 * A wasm module of the kernels of these variants. For each it exports a function under the variant's fingerprint,
 * `(rows, count)`: updates `count` tensors, whose rows lie at the address `rows`, one after the other.
 */
export function kernelModule(
  variants: readonly Variant[],
  { shared = false }: ModuleOptions = {},
): Uint8Array<ArrayBuffer> {
  const functions: WasmFunction[] = [];
  for (const variant of variants) {
    const update = addUpdate(functions, variant);
    functions.push({
      name: variant.perElement.fingerprint,
      parameters: 2,
      locals: [],
      body: forEachRow(update, 4 * rowLength(variant)),
    });
    if (shared) functions.push(open, share(update));
  }
  return encodeModule(functions, shared);
}

/**
 * Adds the function `(row, start, end)` of a variant, and returns its index: it picks the kernel that does what these
 * scalars leave to be done. Most steps need not look for negligible values, and many have no decay.
 */
function addUpdate(functions: WasmFunction[], variant: Variant): number {
  const all = knownScalarsOf(variant.perElement);
  const limits: KnownScalars = new Map([...all].filter(([, value]) => value === 0));
  const levels = [all, limits].filter(
    ({ size }, i, [first]) => size > 0 && (i === 0 || size < first.size),
  );
  const first = functions.length;
  functions.push(...levels.map((settled) => emitWasm(variant, settled)), emitWasm(variant));
  if (levels.length === 0) return first;
  const row = 0;
  const run = (kernel: number): Code => join(get(row), get(1), get(2), call(kernel));
  const holds = (settled: KnownScalars): Code =>
    join(
      ...[...settled].map(([name, value], i) =>
        join(
          join(get(row), scalarsOf(variant), f32Load(4 * variant.scalars.indexOf(name))),
          join(f32Const(value), f32Eq),
          i > 0 ? i32And : [],
        ),
      ),
    );
  const choices = levels.map((settled, i) =>
    join(holds(settled), ifTrue, run(first + i), otherwise),
  );
  const index = functions.push({
    parameters: 3,
    locals: [],
    body: join(...choices, run(first + levels.length), ...levels.map(() => end)),
  });
  return index - 1;
}

/** Calls `update` for each row. */
function forEachRow(update: number, rowBytes: number): Code {
  const [row, count] = [0, 1];
  return join(
    join(block, loop, get(count), i32Eqz, branchIf(1)),
    join(get(row), i32Const(0), get(row), i32Load(0), call(update)),
    join(get(row), i32Const(rowBytes), i32Add, set(row)),
    join(get(count), i32Const(1), i32Sub, set(count)),
    join(branch(0), end, end),
  );
}
