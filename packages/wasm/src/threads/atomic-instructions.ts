import { concat, leb128, type Code } from "../codegen/module-encoder.js";

const atomic = (opcode: number, align: number, offset: number): Code =>
  concat([0xfe, opcode, align], leb128(offset));

export const i32Ne: Code = [0x47];
export const i64Ne: Code = [0x52];
export const i64Sub: Code = [0x7d];
export const i64Or: Code = [0x84];
/** Shifts the high half of an i64 into the low half, and back. */
export const i64HighToLow: Code = [0x42, 32, 0x88];
export const i64LowToHigh: Code = [0x42, 32, 0x86];
export const i64One: Code = [0x42, 1];
export const i32WrapI64: Code = [0xa7];
export const i64ExtendI32: Code = [0xad];

/** @param offset in bytes, as in all that follow */
export const atomicNotify = (offset: number): Code => atomic(0x00, 2, offset);
export const i64AtomicLoad = (offset: number): Code => atomic(0x11, 3, offset);
export const i32AtomicStore = (offset: number): Code => atomic(0x17, 2, offset);
export const i64AtomicStore = (offset: number): Code => atomic(0x18, 3, offset);
export const i32AtomicSub = (offset: number): Code => atomic(0x25, 2, offset);
export const i64AtomicCompareExchange = (offset: number): Code => atomic(0x49, 3, offset);
