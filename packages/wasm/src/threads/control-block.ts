import {
  block,
  branch,
  branchIf,
  call,
  drop,
  end,
  get,
  i32AtomicStore,
  i32AtomicSub,
  i32Const,
  i32Eq,
  i32Eqz,
  i32Load,
  i32Mul,
  i32Ne,
  i32Sub,
  i32WrapI64,
  i64AtomicLoad,
  i64AtomicStore,
  i64CompareExchange,
  i64ExtendI32,
  i64HighToLow,
  i64LowToHigh,
  i64Ne,
  i64One,
  i64Or,
  i64Sub,
  ifTrue,
  loop,
  notify,
  tee,
} from "../codegen/instruction-set.js";
import { chunkLength } from "../memory/layout.js";
import { i32, i64, join, type WasmFunction } from "../codegen/module-encoder.js";

/** Threads that can meet, the calling one included. */
export const mostThreads = 64;

/**
 * Where threads meet in memory: words, in bytes from its start. Those that different threads write lie in cache lines
 * of their own.
 */
export const meeting = {
  /** Chunks that nobody has claimed yet (i32), and which kernel they are for (i32): changed together. */
  unclaimed: 0,
  kernel: 4,
  /** Where the chunks end: the next one to be claimed is `unclaimed` chunks before. */
  chunksEnd: 8,
  /** Chunks that are not done yet. */
  undone: 64,
  /** Counts batches: workers sleep on it. */
  batch: 128,
  /** For each worker, 1 once it runs. */
  arrived: 132,
  byteLength: 132 + 4 * (mostThreads - 1),
} as const;

/** `open(at, kernel, count)`: from here on `count` chunks can be claimed. One store: nobody sees half of it. */
export const open: WasmFunction = (() => {
  const [at, kernel, count] = [0, 1, 2];
  const state = join(
    join(get(kernel), i64ExtendI32, i64LowToHigh),
    join(get(count), i64ExtendI32, i64Or),
  );
  return {
    name: "open",
    parameters: 3,
    locals: [],
    body: join(
      join(get(at), get(count), i32AtomicStore(meeting.undone)),
      join(get(at), state, i64AtomicStore(meeting.unclaimed)),
    ),
  };
})();

/**
 * `share(at, kernel)`: claims chunks of that kernel, one at a time, until none is left.
 *
 * A claim names its kernel, so that a thread that comes late, for an earlier batch, claims nothing. A chunk is read
 * after it was claimed: its batch cannot end before it is done.
 *
 * @param update index of the function `(row, start, end)`.
 */
export function share(update: number): WasmFunction {
  const [at, kernel, state, chunk] = [0, 1, 2, 3];
  const claimed = join(get(at), get(state), get(state), i64One, i64Sub);
  return {
    name: "share",
    parameters: 2,
    locals: [i64, i32],
    body: join(
      join(block, loop, get(at), i64AtomicLoad(meeting.unclaimed), tee(state)),
      join(i32WrapI64, i32Eqz, branchIf(1)),
      join(get(state), i64HighToLow, i32WrapI64, get(kernel), i32Ne, branchIf(1)),
      join(claimed, i64CompareExchange(meeting.unclaimed), get(state), i64Ne, branchIf(0)),
      join(get(at), i32Load(meeting.chunksEnd), get(state), i32WrapI64),
      join(i32Const(4 * chunkLength), i32Mul, i32Sub, tee(chunk), i32Load(0)),
      join(get(chunk), i32Load(4), get(chunk), i32Load(8), call(update)),
      // The last one to finish wakes whoever waits for it.
      join(get(at), i32Const(1), i32AtomicSub(meeting.undone), i32Const(1), i32Eq, ifTrue),
      join(get(at), i32Const(1), notify(meeting.undone), drop, end),
      join(branch(0), end, end),
    ),
  };
}
