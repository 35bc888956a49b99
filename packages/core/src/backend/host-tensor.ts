import type { Backend, MemoryRange, StagingTensor, Values } from "./backend.js";
import { GradstepError, show } from "../errors.js";
import { grownCapacity, tooManyRows, type Reallocation } from "./host-rows.js";
import { checkLength, sizeOf } from "./shape.js";

/**
 * A tensor in memory that JavaScript sees: what a backend on the host needs of tensors. Kernels work on `view()`.
 * As a staging tensor it borrows whatever it is given.
 */
export class HostTensor implements StagingTensor {
  readonly backend: Backend;
  #shape: readonly number[];
  #size: number;
  /** Memory of the backend's own or, where the tensor covers only a part of the caller's, that memory. */
  #room: Values | undefined;
  #isOwn = false;
  #values: Values | undefined;
  #memory: MemoryRange | undefined;
  #freed = false;

  /**
   * @param values exactly the shape's number of values; left out, the tensor has none until `stage`.
   * @param room memory that begins with the values and goes on behind them, for rows that may come.
   */
  constructor(
    backend: Backend,
    shape: readonly number[],
    values?: Values,
    room: Values | undefined = values,
  ) {
    this.#size = sizeOf(shape);
    if (values !== undefined) checkLength("The tensor's memory", values.length, this.#size);
    this.backend = backend;
    this.#shape = Object.freeze([...shape]);
    this.#values = values;
    this.#room = room;
  }

  /** A tensor of zeros in memory of its own. @throws {GradstepError} `INVALID_SHAPE` */
  static allocate<T extends Values>(
    backend: Backend,
    kind: new (length: number) => T,
    shape: readonly number[],
  ): HostTensor {
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
  view(): Values {
    if (this.#values === undefined || this.#isDetached) throw this.#unusable();
    return this.#values;
  }

  /** Empty where the tensor has no values at present. */
  get memory(): MemoryRange {
    if (this.#values === undefined && !this.#freed) {
      return { buffer: this, byteOffset: 0, byteLength: 0 };
    }
    if (this.#memory === undefined) {
      this.view();
      // With the room behind the values, which nothing else may use.
      const { buffer, byteOffset, byteLength } = this.#room!;
      this.#memory = { buffer, byteOffset, byteLength };
    }
    return this.#memory;
  }

  get freed(): boolean {
    return this.#freed || this.#isDetached;
  }

  /** Whether the memory went away under the tensor: a transferred buffer, or the memory of wasm that has grown. */
  get #isDetached(): boolean {
    return this.#values !== undefined && this.#values.length !== this.#size;
  }

  stage(values: Values): void {
    if (this.#freed) throw this.#unusable();
    this.#values = values;
    this.#room = values;
    this.#memory = undefined;
  }

  /** Drops what was staged: the tensor has no values and keeps no memory alive until the next `stage`. */
  release(): void {
    this.#values = undefined;
    this.#room = undefined;
    this.#memory = undefined;
  }

  write(values: ArrayLike<number>): void {
    const target = this.view();
    checkValues(values, this.size);
    target.set(values);
  }

  read(): Promise<Values> {
    try {
      return Promise.resolve(this.view().slice());
    } catch (error) {
      return Promise.reject(error);
    }
  }

  free(): void {
    this.#values = undefined;
    this.#room = undefined;
    this.#freed = true;
  }

  /**
   * Memory for a shape that differs only in the number of rows.
   * @throws {GradstepError} `INVALID_MEMORY`, `OUT_OF_MEMORY`, `DISPOSED`
   */
  reallocate(shape: readonly number[]): Reallocation {
    const before = this.view();
    const size = sizeOf(shape);
    let room = this.#room!;
    const isInPlace = size <= room.length;
    if (!isInPlace) {
      const rowLength = this.#size / this.#shape[0];
      const capacity = room.length / rowLength;
      if (!this.#isOwn) throw tooManyRows(shape, Math.floor(capacity));
      room = largerArray(room, grownCapacity(shape[0], capacity) * rowLength);
    }
    const after = room.subarray(0, size);
    return {
      isInPlace,
      before: () => before,
      after: () => after,
      commit: () => {
        this.#shape = Object.freeze([...shape]);
        this.#size = size;
        this.#room = room;
        this.#values = after;
        this.#memory = undefined;
      },
      rollback: () => {},
    };
  }

  #unusable(): GradstepError {
    if (this.#isDetached) {
      return new GradstepError(
        "The tensor's memory was detached: its buffer was transferred, or wasm memory has grown. Wrap the new memory.",
        { code: "DISPOSED" },
      );
    }
    return this.#freed
      ? new GradstepError("The tensor was freed; make a new one.", { code: "DISPOSED" })
      : new GradstepError("The tensor has no values yet; give it some with stage().", {
          code: "INVALID_MEMORY",
        });
  }
}

function largerArray(array: Values, length: number): Values {
  try {
    return array instanceof Float32Array ? new Float32Array(length) : new Float64Array(length);
  } catch (cause) {
    throw new GradstepError(`There is no memory for ${length} values.`, {
      code: "OUT_OF_MEMORY",
      cause,
    });
  }
}

/**
 * Checks what `write` was given.
 * @throws {GradstepError} `INVALID_MEMORY`, `LENGTH_MISMATCH`
 */
export function checkValues(values: ArrayLike<number>, size: number): void {
  if (values === null || typeof values !== "object" || typeof values[0] === "bigint") {
    throw new GradstepError(`Got ${show(values)} to write; expected an array of numbers.`, {
      code: "INVALID_MEMORY",
    });
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
 * @throws {GradstepError} `INVALID_SHAPE`, also where there is no memory for so many values
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
      `Got shape [${shape.join(", ")}]; there is no memory for its ${size} values.`,
      { code: "INVALID_SHAPE", cause },
    );
  }
}
