/** The arrays that hold a tensor's data. */
export type TypedArray =
  | Float64Array
  | Float32Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

interface Storage {
  /** Bits per element. */
  readonly bits: number;
  /** The array that holds the data. */
  readonly array: ArrayConstructor;
}

type ArrayConstructor = (new (length: number) => TypedArray) & {
  readonly name: string;
  readonly BYTES_PER_ELEMENT: number;
};

/**
 * Every dtype of the format, as `safetensors` 0.8 has it. Arrays of F16, BF16 and of all types below 8 bits hold bits;
 * F4 and F6 are packed, several elements per byte or across bytes; C64 has two floats per element.
 */
const storages = {
  F64: { bits: 64, array: Float64Array },
  I64: { bits: 64, array: BigInt64Array },
  U64: { bits: 64, array: BigUint64Array },
  C64: { bits: 64, array: Float32Array },
  F32: { bits: 32, array: Float32Array },
  I32: { bits: 32, array: Int32Array },
  U32: { bits: 32, array: Uint32Array },
  F16: { bits: 16, array: Uint16Array },
  BF16: { bits: 16, array: Uint16Array },
  I16: { bits: 16, array: Int16Array },
  U16: { bits: 16, array: Uint16Array },
  I8: { bits: 8, array: Int8Array },
  U8: { bits: 8, array: Uint8Array },
  BOOL: { bits: 8, array: Uint8Array },
  F8_E5M2: { bits: 8, array: Uint8Array },
  F8_E4M3: { bits: 8, array: Uint8Array },
  F8_E8M0: { bits: 8, array: Uint8Array },
  F8_E5M2FNUZ: { bits: 8, array: Uint8Array },
  F8_E4M3FNUZ: { bits: 8, array: Uint8Array },
  F6_E3M2: { bits: 6, array: Uint8Array },
  F6_E2M3: { bits: 6, array: Uint8Array },
  F4: { bits: 4, array: Uint8Array },
} satisfies Record<string, Storage>;

/** The element type of a tensor in a file. */
export type Dtype = keyof typeof storages;

const dtypeByArray: Readonly<Record<string, Dtype>> = {
  Float64Array: "F64",
  Float32Array: "F32",
  BigInt64Array: "I64",
  Int32Array: "I32",
  Int16Array: "I16",
  Int8Array: "I8",
  BigUint64Array: "U64",
  Uint32Array: "U32",
  Uint16Array: "U16",
  Uint8Array: "U8",
};

/** The dtype whose values an array holds, one per element; undefined for what no tensor can be made of. */
export function arrayDtype(array: unknown): Dtype | undefined {
  if (!ArrayBuffer.isView(array)) return undefined;
  return dtypeByArray[(array as TypedArray)[Symbol.toStringTag]];
}

export const dtypes = Object.keys(storages) as readonly Dtype[];

export function isDtype(value: unknown): value is Dtype {
  return typeof value === "string" && Object.hasOwn(storages, value);
}

export function bitsPerElement(dtype: Dtype): number {
  return storages[dtype].bits;
}

/** The constructor of the array that holds the data of a tensor of this dtype. */
export function arrayOf(dtype: Dtype): ArrayConstructor {
  return storages[dtype].array;
}

/** A zeroed array for `byteLength` bytes of a dtype, which are whole elements of its array. */
export function allocate(dtype: Dtype, byteLength: number): TypedArray {
  const array = storages[dtype].array;
  return new array(byteLength / array.BYTES_PER_ELEMENT);
}

/**
 * The bytes that a tensor occupies. `undefined` if a size is negative, if that is not a whole number, or if the product of the
 * sizes, from left to right, is not a safe integer at every factor, as with `[2 ** 53, 0]`.
 */
export function byteLengthOf(dtype: Dtype, shape: readonly number[]): number | undefined {
  let elements = 1;
  for (const size of shape) {
    elements *= size;
    if (!(size >= 0 && Number.isSafeInteger(elements))) return undefined;
  }
  const bits = elements * storages[dtype].bits;
  return Number.isSafeInteger(bits) && bits % 8 === 0 ? bits / 8 : undefined;
}
