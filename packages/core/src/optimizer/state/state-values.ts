import type { Values } from "../../backend/memory.js";
import { isArray } from "../../argument-checks/is-array.js";
import { show } from "../../errors.js";
import { hasNames } from "../../argument-checks/has-names.js";
import type { MisfitKind } from "../../errors.js";
import type { Misfits } from "./misfit.js";

/** An object whose properties are not known yet. */
export type Table = Readonly<Record<string, unknown>>;

/** Why a number is null, and what to do. */
export const lostInJson =
  "The state went through JSON, which turns NaN and Infinity into null. Store such states with v8.serialize, in IndexedDB, or as a checkpoint of @gradstep/checkpoint.";

/** A property that is not inherited. */
export function own(table: Table, name: string): unknown {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/** A value of a state as an object; for anything else, which is a misfit, an empty object. */
export function tableAt(misfits: Misfits, value: unknown): Table {
  if (hasNames(value)) return value;
  misfits.add("format", show(value), "an object");
  return {};
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** A value of a state as a number of steps or calls; undefined for anything else, which is a misfit. */
export function countAt(misfits: Misfits, value: unknown): number | undefined {
  return isCount(value) ? value : misfits.add("format", show(value), "a non-negative integer");
}

/** The numbers in a typed array, or in what JSON makes of one; undefined for anything else, which is a misfit. */
export function numbersAt(
  misfits: Misfits,
  kind: MisfitKind,
  value: unknown,
  size: number,
): ArrayLike<number> | undefined {
  if (isFloatArray(value))
    return value.length === size ? value : misfits.add(kind, show(value), valuesOf(size));
  const values = listOf(value);
  if (values === undefined) return misfits.add("format", show(value), "a Float32Array");
  if (values.length !== size) return misfits.add(kind, valuesOf(values.length), valuesOf(size));
  for (let i = 0; i < size; i += 1) {
    if (typeof values[i] === "number") continue;
    return misfits
      .at(i)
      .add("format", show(values[i]), "a number", ...(values[i] === null ? [lostInJson] : []));
  }
  return values as readonly number[];
}

/** The same for one u32 per row, copied. */
export function rowValuesAt(
  misfits: Misfits,
  kind: MisfitKind,
  value: unknown,
  rows: number,
): Uint32Array | undefined {
  const isWords =
    ArrayBuffer.isView(value) && (value as Uint32Array)[Symbol.toStringTag] === "Uint32Array";
  const values = isWords ? (value as Uint32Array) : listOf(value);
  if (values === undefined) return misfits.add("format", show(value), "a Uint32Array");
  if (values.length !== rows) return misfits.add(kind, valuesOf(values.length), valuesOf(rows));
  for (let i = 0; i < rows; i += 1) {
    if (isCount(values[i]) && (values[i] as number) < 2 ** 32) continue;
    return misfits.at(i).add("format", show(values[i]), "an integer from 0 to 4294967295");
  }
  return Uint32Array.from(values as ArrayLike<number>);
}

/** What is in an array of numbers, or in an object into which JSON turned a typed array, with the keys 0, 1, …. */
function listOf(value: unknown): readonly unknown[] | undefined {
  if (isArray(value)) return value;
  if (!hasNames(value)) return undefined;
  const keys = Object.keys(value);
  // Integer keys are in ascending order, before all others.
  return keys.every((key, i) => key === String(i)) ? Object.values(value) : undefined;
}

/** True for arrays of another realm, too, such as those that a frame or a test environment makes. */
function isFloatArray(value: unknown): value is Values {
  return (
    ArrayBuffer.isView(value) &&
    ["Float32Array", "Float64Array"].includes((value as Values)[Symbol.toStringTag])
  );
}

function valuesOf(count: number): string {
  return count === 1 ? "1 value" : `${count} values`;
}
