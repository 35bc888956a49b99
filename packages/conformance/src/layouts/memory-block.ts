import { bytesPerValue, type Backend, type Tensor, type WrappingBackend } from "@gradstep/core";
import { viewAs, type Field } from "./field.js";

/**
 * Words in a backend's memory, over which tensors are wrapped as fields. Typed arrays are wrapped where the memory is an
 * ArrayBuffer, elsewhere the buffer itself, with a `dtype`.
 */
export class MemoryBlock {
  readonly #backend: WrappingBackend<unknown>;
  readonly #tensor: Tensor;

  constructor(backend: Backend, words: Uint32Array) {
    this.#backend = backend as WrappingBackend<unknown>;
    this.#tensor = backend.tensor([words.length]);
    this.write(words);
  }

  /** A tensor over a field. */
  wrap({ dtype, shape, offset, rowStride, scale, capacity }: Field): Tensor {
    const { buffer, byteOffset } = this.#tensor.memory;
    const layout = {
      shape,
      rowStride,
      dtype,
      ...(scale === 1 ? {} : { scale }),
      ...(shape.length === 0 || capacity === shape[0] ? {} : { capacity }),
    };
    const isArray = buffer instanceof ArrayBuffer || isShared(buffer);
    if (!isArray) {
      const first = byteOffset / bytesPerValue[dtype];
      return this.#backend.wrap(buffer, { ...layout, offset: first + offset });
    }
    const words = new Uint32Array(buffer as ArrayBuffer, byteOffset, this.#tensor.size);
    return this.#backend.wrap(viewAs(dtype, words), { ...layout, offset });
  }

  write(words: Uint32Array): void {
    this.#tensor.write(new Float32Array(words.slice().buffer));
  }

  async read(): Promise<Uint32Array> {
    const { buffer, byteOffset, length } = await this.#tensor.read();
    return new Uint32Array(buffer, byteOffset, length);
  }
}

function isShared(buffer: object): boolean {
  return typeof SharedArrayBuffer !== "undefined" && buffer instanceof SharedArrayBuffer;
}
