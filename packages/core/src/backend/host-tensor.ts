import type { Backend, StagingTensor } from "./backend.js";
import type { MemoryRange, Values } from "./memory.js";
import { GradstepError, show } from "../errors.js";
import { arrayTypeOf, type Precision } from "../language/precision.js";
import { grownCapacity, tooManyRows, type Reallocation } from "./reallocation.js";
import { checkLength, sizeOf } from "./shape.js";
import { notLive, withoutValues } from "./tensor-errors.js";
import { isArray } from "../argument-checks/is-array.js";
import { isReadable } from "../argument-checks/is-readable.js";

/**
 * A tensor in memory that JavaScript can access, for backends on the host. Kernels work on `view()`. As a staging tensor
 * it borrows the arrays that it is given.
 *
 * `T` is the type of its arrays.
 */
export class HostTensor<T extends Values = Values> implements StagingTensor {
  readonly backend: Backend;
  #shape: readonly number[];
  #size: number;
  /** The values and the capacity behind them. */
  #reserved: T | undefined;
  #isOwn = false;
  #values: T | undefined;
  #memory: MemoryRange | undefined;
  #freed = false;

  /**
   * @param values as many as the shape has; if left out, the tensor has none before `stage`
   * @param reserved an array that starts with the values and continues behind them, for rows to be added
   */
  constructor(
    backend: Backend,
    shape: readonly number[],
    values?: T,
    reserved: T | undefined = values,
  ) {
    this.#size = sizeOf(shape);
    if (values !== undefined) checkLength("The tensor's memory", values.length, this.#size);
    this.backend = backend;
    this.#shape = Object.freeze([...shape]);
    this.#values = values;
    this.#reserved = reserved;
  }

  /** A tensor of zeros in new memory. @throws {GradstepError} `INVALID_SHAPE` */
  static allocate<T extends Values>(
    backend: Backend,
    kind: new (length: number) => T,
    shape: readonly number[],
  ): HostTensor<T> {
    const tensor = new HostTensor(backend, shape, allocateArray(kind, shape));
    tensor.#isOwn = true;
    return tensor;
  }

  get shape(): readonly number[] {
    return this.#shape;
  }

  get size(): number {
    return this.#size;
  }

  /** The live values: writing to them writes to the tensor. @throws {GradstepError} `DISPOSED` */
  view(): T {
    if (this.#values === undefined || this.detached) throw this.#unusable();
    return this.#values;
  }

  /** Empty while the tensor has no values. */
  get memory(): MemoryRange {
    if (this.#values === undefined && !this.#freed) {
      return { buffer: this, byteOffset: 0, byteLength: 0 };
    }
    if (this.#memory === undefined) {
      this.view();
      // With the capacity behind the values, which nothing else may use.
      const { buffer, byteOffset, byteLength } = this.#reserved!;
      this.#memory = { buffer, byteOffset, byteLength };
    }
    return this.#memory;
  }

  get freed(): boolean {
    return this.#freed || this.detached;
  }

  get detached(): boolean {
    return this.#values !== undefined && this.#values.length !== this.#size;
  }

  stage(values: Values): void {
    if (this.#freed) throw this.#unusable();
    this.#values = values as T;
    this.#reserved = values as T;
    this.#memory = undefined;
  }

  /** Drops what was staged: the tensor has no values and keeps no memory alive until the next `stage`. */
  release(): void {
    this.#values = undefined;
    this.#reserved = undefined;
    this.#memory = undefined;
  }

  write(values: ArrayLike<number>): void {
    const target = this.view();
    checkValues(values, this.size);
    target.set(values);
  }

  read(): Promise<T> {
    try {
      return Promise.resolve(this.view().slice() as T);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  free(): void {
    this.#values = undefined;
    this.#reserved = undefined;
    this.#freed = true;
  }

  /**
   * Memory for a shape that differs only in the number of rows.
   * @throws {GradstepError} `INVALID_MEMORY`, `OUT_OF_MEMORY`, `DISPOSED`
   */
  reallocate(shape: readonly number[]): Reallocation {
    const before = this.view();
    const size = sizeOf(shape);
    let reserved = this.#reserved!;
    const isInPlace = size <= reserved.length;
    if (!isInPlace) {
      const rowLength = this.#size / this.#shape[0];
      const capacity = reserved.length / rowLength;
      if (!this.#isOwn) throw tooManyRows(shape, Math.floor(capacity));
      reserved = largerArray(reserved, grownCapacity(shape[0], capacity) * rowLength);
    }
    const after = reserved.subarray(0, size) as T;
    return {
      isInPlace,
      before: () => before,
      after: () => after,
      commit: () => {
        this.#shape = Object.freeze([...shape]);
        this.#size = size;
        this.#reserved = reserved;
        this.#values = after;
        this.#memory = undefined;
      },
      rollback: () => {},
    };
  }

  #unusable(): GradstepError {
    return this.freed ? notLive("The tensor", this) : withoutValues("The tensor");
  }
}

function largerArray<T extends Values>(array: T, length: number): T {
  try {
    const larger: Values =
      array instanceof Float32Array ? new Float32Array(length) : new Float64Array(length);
    return larger as T;
  } catch (cause) {
    throw new GradstepError(
      `Out of memory for ${length} values; free tensors, or use fewer rows.`,
      {
        code: "OUT_OF_MEMORY",
        cause,
      },
    );
  }
}

/**
 * Checks the argument of `write`.
 * @throws {GradstepError} `INVALID_MEMORY`, `LENGTH_MISMATCH`
 */
export function checkValues(values: ArrayLike<number>, size: number): void {
  if (!isReadable(values) || typeof values[0] === "bigint") {
    throw new GradstepError(`Got ${show(values)} to write; expected an array of numbers.`, {
      code: "INVALID_MEMORY",
    });
  }
  if (isArray(values[0])) {
    throw new GradstepError(
      "The array to write is nested; expected the values of all rows in one array, such as values.flat().",
      { code: "INVALID_MEMORY" },
    );
  }
  checkLength("The array to write", values.length, size);
  if (ArrayBuffer.isView(values)) return;
  for (let i = 0; i < size; i += 1) {
    if (typeof values[i] !== "number")
      throw new GradstepError(
        `The array to write has ${show(values[i])} at ${i}; expected numbers. Convert it with new Float32Array(values).`,
        { code: "INVALID_MEMORY" },
      );
  }
}

/**
 * An array of zeros for a shape.
 * @throws {GradstepError} `INVALID_SHAPE`, also if there is not enough memory
 */
export function allocateArray<T extends Values>(
  kind: new (length: number) => T,
  shape: readonly number[],
): T {
  const size = sizeOf(shape);
  try {
    return new kind(size);
  } catch (cause) {
    throw new GradstepError(
      `Got shape ${show(shape)}; there is not enough memory for its ${size} values.`,
      { code: "INVALID_SHAPE", cause },
    );
  }
}

/** An array of zeros for a shape, of the type that backends of this precision hold. @throws {GradstepError} `INVALID_SHAPE` */
export function allocateValues(precision: Precision, shape: readonly number[]): Values {
  return allocateArray<Values>(arrayTypeOf(precision), shape);
}
