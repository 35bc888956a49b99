import type { Backend, MemoryRange, StagingTensor, Values, WrapOptions } from "./backend.js";
import { GradstepError, show } from "./errors.js";
import { checkLength, sizeOf } from "./shape.js";

/**
 * A tensor in memory that JavaScript sees: what a backend on the host needs of tensors. Kernels work on `view()`.
 * As a staging tensor it borrows whatever it is given.
 */
export class HostTensor implements StagingTensor {
  readonly backend: Backend;
  readonly shape: readonly number[];
  readonly size: number;
  #values: Values | undefined;
  #memory: MemoryRange | undefined;
  #freed = false;

  /** @param values exactly the shape's number of values; left out, the tensor has none until `stage`. */
  constructor(backend: Backend, shape: readonly number[], values?: Values) {
    this.size = sizeOf(shape);
    if (values !== undefined) checkLength("The tensor's memory", values.length, this.size);
    this.backend = backend;
    this.shape = Object.freeze([...shape]);
    this.#values = values;
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
      const { buffer, byteOffset, byteLength } = this.view();
      this.#memory = { buffer, byteOffset, byteLength };
    }
    return this.#memory;
  }

  get freed(): boolean {
    return this.#freed || this.#isDetached;
  }

  /** Whether the memory went away under the tensor: a transferred buffer, or the memory of wasm that has grown. */
  get #isDetached(): boolean {
    return this.#values !== undefined && this.#values.length !== this.size;
  }

  stage(values: Values): void {
    if (this.#freed) throw this.#unusable();
    this.#values = values;
    this.#memory = undefined;
  }

  /** Lets go of what was staged: the tensor has no values until the next `stage`, and keeps nobody's memory alive. */
  release(): void {
    this.#values = undefined;
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
    this.#freed = true;
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

function checkWrapOptions(options: unknown): void {
  if (options === null || typeof options !== "object") {
    throw new GradstepError(`Got ${show(options)}; expected the options { shape, offset }.`, {
      code: "UNKNOWN_OPTION",
    });
  }
  for (const key of Object.keys(options)) {
    if (key !== "shape" && key !== "offset")
      throw new GradstepError(`wrap has no option "${key}"; it has shape and offset.`, {
        code: "UNKNOWN_OPTION",
      });
  }
}

/**
 * The part of a typed array that `wrap` covers, as a view of it.
 * @throws {GradstepError} `INVALID_MEMORY`, `INVALID_SHAPE`, `UNKNOWN_OPTION`
 */
export function wrapArray<T extends Values>(
  kind: new (length: number) => T,
  memory: T,
  options: WrapOptions = {},
): { shape: readonly number[]; values: T } {
  if (!ArrayBuffer.isView(memory) || memory[Symbol.toStringTag] !== kind.name) {
    throw new GradstepError(
      `Got ${show(memory)} to wrap; expected a ${kind.name}. Convert it with new ${kind.name}(values).`,
      {
        code: "INVALID_MEMORY",
      },
    );
  }
  checkWrapOptions(options);
  const offset = options.offset ?? 0;
  if (!Number.isSafeInteger(offset) || offset < 0 || offset >= memory.length) {
    throw new GradstepError(
      `Got offset ${show(offset)}; expected an integer from 0 to ${memory.length - 1}, counted in values.`,
      {
        code: "INVALID_MEMORY",
      },
    );
  }
  const shape = options.shape ?? [memory.length - offset];
  const size = sizeOf(shape);
  if (offset + size > memory.length) {
    throw new GradstepError(
      `Shape [${shape.join(", ")}] at offset ${offset} needs ${offset + size} values; the array has ${memory.length}.`,
      { code: "INVALID_MEMORY" },
    );
  }
  return { shape, values: memory.subarray(offset, offset + size) as T };
}
