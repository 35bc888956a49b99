import { assign, countUp, increase, minus, plus } from "./address-arithmetic.js";
import {
  block,
  br,
  brIf,
  drop,
  end,
  i32Const,
  i32Eqz,
  i32Load,
  i32LtU,
  i32Shl,
  localGet,
  loop,
} from "./instruction-set.js";
import { concat, encodeModule, i32, type ImportedMemory } from "./module-encoder.js";

const cacheLine = 64;

/** The name under which the function of the module is exported. */
export const prefetchName = "prefetch";

/** The function of the module: `end` is the address after the last entry. */
export type Prefetch = (entries: number, end: number, entryBytes: number) => void;

/**
 * A module with a function that loads a word of each cache line of the parameter and the slots of some entries. Kernels
 * find them in the cache afterwards. Loads that depend on nothing overlap; in a kernel, the loads of a row wait for the row
 * before.
 */
export function prefetchModule(memory: ImportedMemory): Uint8Array<ArrayBuffer> {
  const [entry, entriesEnd, entryBytes, word, address, stop] = [0, 1, 2, 3, 4, 5];
  const loadLine = concat(localGet(address), i32Load(0), drop);
  const loadArray = concat(
    assign(address, concat(localGet(word), i32Load(0))),
    assign(stop, plus(localGet(address), concat(localGet(entry), i32Load(0), i32Const(2), i32Shl))),
    countUp(address, localGet(stop), cacheLine, loadLine),
  );
  // An entry ends with the address of the scalars.
  const lastWord = minus(plus(localGet(entry), localGet(entryBytes)), i32Const(4));
  const body = concat(
    concat(block, loop, localGet(entry), localGet(entriesEnd), i32LtU, i32Eqz, brIf(1)),
    assign(word, plus(localGet(entry), i32Const(4))),
    loadArray,
    // Rows of a gradient follow one another, so that the processor loads them ahead.
    assign(word, plus(localGet(entry), i32Const(12))),
    countUp(word, lastWord, 4, loadArray),
    concat(increase(entry, localGet(entryBytes)), br(0), end, end),
  );
  return encodeModule(
    [{ name: prefetchName, parameters: 3, locals: [i32, i32, i32], body }],
    memory,
  );
}
