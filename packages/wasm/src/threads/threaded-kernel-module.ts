import type { Variant } from "@gradstep/core";
import {
  block,
  br,
  brIf,
  call,
  drop,
  end,
  i32Const,
  i32Eq,
  i32Eqz,
  i32Load,
  i32Mul,
  i32Sub,
  ifThen,
  localGet,
  localSet,
  localTee,
  loop,
} from "../codegen/instruction-set.js";
import { addKernel, addPassKernel } from "../codegen/kernel-module.js";
import {
  concat,
  encodeModule,
  i32,
  i64,
  type Code,
  type WasmFunction,
} from "../codegen/module-encoder.js";
import { chunkWords, rangeWords } from "../memory/batch-layout.js";
import type { PassKernel } from "../planning/pass-plan.js";
import {
  atomicNotify,
  i32AtomicStore,
  i32AtomicSub,
  i32Ne,
  i32WrapI64,
  i64AtomicCompareExchange,
  i64AtomicLoad,
  i64AtomicStore,
  i64ExtendI32,
  i64HighToLow,
  i64LowToHigh,
  i64Ne,
  i64One,
  i64Or,
  i64Sub,
} from "./atomic-instructions.js";
import { controlBlock } from "./control-block.js";

/** A module of one variant's kernel over shared memory, which also exports `publishChunks` and `claimChunks`. */
export function threadedKernelModule(variant: Variant): Uint8Array<ArrayBuffer> {
  const functions: WasmFunction[] = [];
  const update = addKernel(functions, variant);
  const chunk = localGet(claimedChunk);
  const callUpdate = concat(
    concat(chunk, i32Load(0), chunk, i32Load(4), chunk, i32Load(8)),
    call(update),
  );
  functions.push(publishChunks(), claimChunks(callUpdate, chunkWords));
  return encodeModule(functions, { shared: true });
}

/** The same of a kernel of a pass. Its chunks are ranges. */
export function threadedPassModule(kernel: PassKernel): Uint8Array<ArrayBuffer> {
  const functions: WasmFunction[] = [];
  const update = addPassKernel(functions, kernel);
  const callUpdate = concat(localGet(claimedChunk), call(update));
  functions.push(publishChunks(), claimChunks(callUpdate, rangeWords));
  return encodeModule(functions, { shared: true });
}

/**
 * `publishChunks(controlBlock, kernel, count)`: makes `count` chunks claimable. Kernel and count are one atomic store,
 * so that no thread sees one without the other.
 */
function publishChunks(): WasmFunction {
  const [control, kernel, count] = [0, 1, 2];
  const state = concat(
    concat(localGet(kernel), i64ExtendI32, i64LowToHigh),
    concat(localGet(count), i64ExtendI32, i64Or),
  );
  return {
    name: "publishChunks",
    parameters: 3,
    locals: [],
    body: concat(
      concat(localGet(control), localGet(count), i32AtomicStore(controlBlock.pending)),
      concat(localGet(control), state, i64AtomicStore(controlBlock.unclaimed)),
    ),
  };
}

/** The local of `claimChunks` with the address of the chunk. */
const claimedChunk = 3;

/**
 * `claimChunks(controlBlock, kernel)`: claims and updates chunks of that kernel, one at a time, until none is left.
 *
 * A claim names its kernel, so that a thread that is late, with the kernel of an earlier batch, claims nothing. The
 * chunk table is read after the claim: the batch cannot end before the claimed chunk is finished.
 *
 * @param update code that updates the chunk whose address is in the local `claimedChunk`
 * @param words the length of a chunk
 */
function claimChunks(update: Code, words: number): WasmFunction {
  const [control, kernel, state, chunk] = [0, 1, 2, claimedChunk];
  const claimed = concat(localGet(control), localGet(state), localGet(state), i64One, i64Sub);
  return {
    name: "claimChunks",
    parameters: 2,
    locals: [i64, i32],
    body: concat(
      concat(block, loop, localGet(control), i64AtomicLoad(controlBlock.unclaimed)),
      concat(localTee(state), i32WrapI64, i32Eqz, brIf(1)),
      concat(localGet(state), i64HighToLow, i32WrapI64, localGet(kernel), i32Ne, brIf(1)),
      concat(claimed, i64AtomicCompareExchange(controlBlock.unclaimed)),
      concat(localGet(state), i64Ne, brIf(0)),
      concat(localGet(control), i32Load(controlBlock.chunksEnd), localGet(state), i32WrapI64),
      concat(i32Const(4 * words), i32Mul, i32Sub, localSet(chunk), update),
      // The thread that finishes the last chunk wakes the one that waits for it.
      concat(localGet(control), i32Const(1), i32AtomicSub(controlBlock.pending), i32Const(1)),
      concat(i32Eq, ifThen),
      concat(localGet(control), i32Const(1), atomicNotify(controlBlock.pending), drop, end),
      concat(br(0), end, end),
    ),
  };
}
