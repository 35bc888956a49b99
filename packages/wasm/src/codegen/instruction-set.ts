import { join, unsigned, type Code } from "./module-encoder.js";

const simd = (opcode: number): Code => join([0xfd], unsigned(opcode));
const atomic = (opcode: number, align: number, offset: number): Code =>
  join([0xfe, opcode, align], unsigned(offset));

export const i32Eqz: Code = [0x45];
export const i32Eq: Code = [0x46];
export const i32Ne: Code = [0x47];
export const i32LtU: Code = [0x49];
export const f32Eq: Code = [0x5b];
export const i32Add: Code = [0x6a];
export const i32Sub: Code = [0x6b];
export const i32Mul: Code = [0x6c];
export const i32And: Code = [0x71];
export const i32Shl: Code = [0x74];
export const i64Ne: Code = [0x52];
export const i64Sub: Code = [0x7d];
export const i64Or: Code = [0x84];
/** The high half of an i64 into its low half, and back. */
export const i64HighToLow: Code = [0x42, 32, 0x88];
export const i64LowToHigh: Code = [0x42, 32, 0x86];
export const i64One: Code = [0x42, 1];
export const i32WrapI64: Code = [0xa7];
export const i64ExtendI32: Code = [0xad];
export const drop: Code = [0x1a];

/** Opens a block, a loop or a branch, without results. */
export const block: Code = [0x02, 0x40];
export const loop: Code = [0x03, 0x40];
export const ifTrue: Code = [0x04, 0x40];
export const otherwise: Code = [0x05];
export const end: Code = [0x0b];
/** Leaves the block, or repeats the loop, `depth` levels up. */
export const branch = (depth: number): Code => [0x0c, depth];
export const branchIf = (depth: number): Code => [0x0d, depth];
export const call = (index: number): Code => join([0x10], unsigned(index));

export const get = (local: number): Code => join([0x20], unsigned(local));
export const set = (local: number): Code => join([0x21], unsigned(local));
export const tee = (local: number): Code => join([0x22], unsigned(local));

export const f32x4 = {
  splat: simd(0x13),
  eq: simd(0x41),
  ne: simd(0x42),
  lt: simd(0x43),
  le: simd(0x45),
  neg: simd(0xe1),
  sqrt: simd(0xe3),
  add: simd(0xe4),
  sub: simd(0xe5),
  mul: simd(0xe6),
  div: simd(0xe7),
  min: simd(0xe8),
  max: simd(0xe9),
} as const;

export const i32x4Splat: Code = simd(0x11);

export const v128And: Code = simd(0x4e);
/** `a b`: the bits of `a` that `b` does not have. */
export const v128AndNot: Code = simd(0x4f);
export const v128Or: Code = simd(0x50);
/** `a b mask`: the bits of `a` where the mask is 1, those of `b` elsewhere. */
export const v128Select: Code = simd(0x52);

/** A constant, in signed LEB128: the second bit of its last byte is the sign of all before it. */
export function i32Const(value: number): Code {
  const bytes = [0x41];
  for (let rest = value; ; rest >>= 7) {
    const byte = rest & 0x7f;
    const isLast = rest >= -0x40 && rest < 0x40;
    bytes.push(isLast ? byte : byte + 0x80);
    if (isLast) return bytes;
  }
}

/** @param value rounded to f32 */
export function f32Const(value: number): Code {
  return [0x43, ...new Uint8Array(Float32Array.of(value).buffer)];
}

/** Aligned to 4 bytes at least, as are all that follow. */
export const i32Load = (offset: number): Code => join([0x28, 2], unsigned(offset));
export const f32Load = (offset: number): Code => join([0x2a, 2], unsigned(offset));
/** One f32 from memory into all lanes. */
export const loadSplat = (offset: number): Code => join(simd(0x09), [2], unsigned(offset));

/** How elements are read and written: four at a time, or one, in the first lane. */
export interface Access {
  readonly load: (offset: number) => Code;
  readonly store: (offset: number) => Code;
}

export const fourLanes: Access = {
  load: (offset) => join(simd(0x00), [2], unsigned(offset)),
  store: (offset) => join(simd(0x0b), [2], unsigned(offset)),
};

export const firstLane: Access = {
  // The other lanes are 0; nothing traps in them and nobody sees them.
  load: (offset) => join(simd(0x5c), [2], unsigned(offset)),
  store: (offset) => join(simd(0x5a), [2], unsigned(offset), [0]),
};

export const notify = (offset: number): Code => atomic(0x00, 2, offset);
export const i64AtomicLoad = (offset: number): Code => atomic(0x11, 3, offset);
export const i32AtomicStore = (offset: number): Code => atomic(0x17, 2, offset);
export const i64AtomicStore = (offset: number): Code => atomic(0x18, 3, offset);
export const i32AtomicSub = (offset: number): Code => atomic(0x25, 2, offset);
export const i64CompareExchange = (offset: number): Code => atomic(0x49, 3, offset);
