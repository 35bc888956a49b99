import { concat, leb128, type Code } from "./module-encoder.js";

const simd = (opcode: number): Code => concat([0xfd], leb128(opcode));

export const i32Eqz: Code = [0x45];
export const i32Eq: Code = [0x46];
export const i32LtU: Code = [0x49];
export const i32LeU: Code = [0x4d];
export const f32Eq: Code = [0x5b];
export const f32Add: Code = [0x92];
export const f32Max: Code = [0x97];
export const i32Add: Code = [0x6a];
export const i32Sub: Code = [0x6b];
export const i32Mul: Code = [0x6c];
export const i32DivU: Code = [0x6e];
export const i32And: Code = [0x71];
export const i32Shl: Code = [0x74];
export const i32ShrU: Code = [0x76];
/** The i32 with these bits as an f32. */
export const f32ReinterpretI32: Code = [0xbe];
export const drop: Code = [0x1a];
/** `a b condition`: `a` where the condition is not 0, else `b`. */
export const select: Code = [0x1b];

/** Open a block, a loop or a conditional, without results. */
export const block: Code = [0x02, 0x40];
export const loop: Code = [0x03, 0x40];
export const ifThen: Code = [0x04, 0x40];
export const elseThen: Code = [0x05];
export const end: Code = [0x0b];
/** Leave the block, or repeat the loop, `depth` levels up. */
export const br = (depth: number): Code => [0x0c, depth];
export const brIf = (depth: number): Code => [0x0d, depth];
export const call = (index: number): Code => concat([0x10], leb128(index));

export const localGet = (local: number): Code => concat([0x20], leb128(local));
export const localSet = (local: number): Code => concat([0x21], leb128(local));
export const localTee = (local: number): Code => concat([0x22], leb128(local));

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
/** `a b`: `a AND NOT b`. */
export const v128AndNot: Code = simd(0x4f);
export const v128Or: Code = simd(0x50);
/** `a b mask`: bits of `a` where the mask is 1, bits of `b` elsewhere. */
export const v128Bitselect: Code = simd(0x52);

/** A constant in signed LEB128: bit 6 of the last byte is the sign. */
export function i32Const(value: number): Code {
  const bytes = [0x41];
  for (let remaining = value; ; remaining >>= 7) {
    const byte = remaining & 0x7f;
    const isLast = remaining >= -0x40 && remaining < 0x40;
    bytes.push(isLast ? byte : byte + 0x80);
    if (isLast) return bytes;
  }
}

/** @param value is rounded to f32. */
export function f32Const(value: number): Code {
  return [0x43, ...new Uint8Array(Float32Array.of(value).buffer)];
}

/** `to from count`: copies bytes. */
export const memoryCopy: Code = [0xfc, 0x0a, 0, 0];

/** All loads and stores assume an alignment of 4 bytes. */
export const i32Load = (offset: number): Code => concat([0x28, 2], leb128(offset));
export const f32Load = (offset: number): Code => concat([0x2a, 2], leb128(offset));
export const f32Store = (offset: number): Code => concat([0x38, 2], leb128(offset));
/** Loads one f32 into all four lanes. */
export const loadSplat = (offset: number): Code => concat(simd(0x09), [2], leb128(offset));

/** Loads and stores of elements: four at a time, or one in the first lane. */
export interface Access {
  readonly load: (offset: number) => Code;
  readonly store: (offset: number) => Code;
}

export const fourLanes: Access = {
  load: (offset) => concat(simd(0x00), [2], leb128(offset)),
  store: (offset) => concat(simd(0x0b), [2], leb128(offset)),
};

export const firstLane: Access = {
  // The other lanes are 0. They cannot trap and are not stored.
  load: (offset) => concat(simd(0x5c), [2], leb128(offset)),
  store: (offset) => concat(simd(0x5a), [2], leb128(offset), [0]),
};
