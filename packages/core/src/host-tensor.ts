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
    if (this.#values === undefined) throw this.#unusable();
    return this.#values;
  }

  get memory(): MemoryRange {
    if (this.#memory === undefined) {
      const { buffer, byteOffset, byteLength } = this.view();
      this.#memory = { buffer, byteOffset, byteLength };
    }
    return this.#memory;
  }

  get freed(): boolean {
    return this.#freed;
  }

  stage(values: Values): void {
    if (this.#freed) throw this.#unusable();
    this.#values = values;
    this.#memory = undefined;
  }

  write(values: ArrayLike<number>): void {
    const target = this.view();
    checkLength("The array to write", values.length, this.size);
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
    return this.#freed
      ? new GradstepError("The tensor was freed; make a new one.", { code: "DISPOSED" })
      : new GradstepError("The tensor has no values yet; give it some with stage().", {
          code: "INVALID_MEMORY",
        });
  }
}

/**
 * The part of a typed array that `wrap` covers, as a view of it.
 * @throws {GradstepError} `INVALID_MEMORY`, `INVALID_SHAPE`
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
