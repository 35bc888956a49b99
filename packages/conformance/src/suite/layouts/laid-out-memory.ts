import { bytesPerValue, type Backend, type Tensor } from "@gradstep/core";
import { positionsOf, readField, writeField } from "../../layouts/field.js";
import { MemoryBlock } from "../../layouts/memory-block.js";
import { assert } from "../assertions.js";
import { randomFields, type FieldRequest, type PlacedField } from "../random/random-fields.js";
import type { Random } from "../random/random.js";

/** Blocks of memory with fields at random places, and tensors over them. All other bits are random. */
export class LaidOutMemory {
  readonly #blocks: readonly MemoryBlock[];
  readonly #fields: Map<string, PlacedField>;
  readonly #tensors: Map<string, Tensor>;
  /** What the blocks held when they were written or read last. */
  #words: readonly Uint32Array[];

  /** @param requests what is to be placed, by its name in messages */
  constructor(backend: Backend, requests: ReadonlyMap<string, FieldRequest>, random: Random) {
    const { blocks, fields } = randomFields([...requests.values()], 3, random);
    this.#fields = new Map([...requests.keys()].map((part, i) => [part, fields[i]]));
    this.#words = blocks.map((length) => Uint32Array.from({ length }, () => random.bits()));
    this.#blocks = this.#words.map((words) => new MemoryBlock(backend, words));
    this.#tensors = new Map(
      [...this.#fields].map(([part, field]) => [part, this.#blocks[field.block].wrap(field)]),
    );
  }

  field(part: string): PlacedField | undefined {
    return this.#fields.get(part);
  }

  tensor(part: string): Tensor | undefined {
    return this.#tensors.get(part);
  }

  /** What a field stores: numbers, integers without their scale. */
  read(part: string): Float64Array {
    const field = this.#fields.get(part)!;
    return readField(this.#words[field.block], field);
  }

  /** Stores numbers in fields. */
  write(values: Iterable<readonly [part: string, numbers: ArrayLike<number>]>): void {
    for (const [part, numbers] of values) {
      const field = this.#fields.get(part);
      if (field !== undefined) writeField(this.#words[field.block], field, numbers);
    }
    this.#blocks.forEach((block, i) => {
      block.write(this.#words[i]);
    });
  }

  /**
   * Fields have another number of rows from now on.
   * @param wraps whether new tensors are wrapped, because the backend has not resized the old ones
   */
  resize(parts: readonly string[], rows: number, wraps: boolean): void {
    for (const part of parts) {
      const field = this.#fields.get(part);
      if (field === undefined) continue;
      const resized = { ...field, shape: [rows, ...field.shape.slice(1)] };
      this.#fields.set(part, resized);
      if (wraps) this.#tensors.set(part, this.#blocks[field.block].wrap(resized));
    }
  }

  /**
   * Reads the blocks from the backend. No byte may have changed but those of some fields.
   * @throws {ConformanceError}
   */
  async update(what: string, changing: readonly string[]): Promise<void> {
    const read = await Promise.all(this.#blocks.map((block) => block.read()));
    read.forEach((words, block) => {
      const mayChange = new Uint8Array(words.byteLength);
      for (const part of changing) {
        const field = this.#fields.get(part);
        if (field?.block === block) markBytes(mayChange, field);
      }
      const [before, after] = [bytesOf(this.#words[block]), bytesOf(words)];
      const changed = after.findIndex((byte, i) => byte !== before[i] && mayChange[i] === 0);
      assert(
        changed < 0,
        `${what}: byte ${changed} of memory was changed, which belongs to ${this.#ownerOf(block, changed)}; expected it to stay (bound 0)`,
      );
    });
    this.#words = read;
  }

  #ownerOf(block: number, byte: number): string {
    for (const [part, field] of this.#fields) {
      if (field.block !== block) continue;
      const bytes = new Uint8Array(byte + 1);
      markBytes(bytes, field);
      if (bytes[byte] === 1) return part;
    }
    return "no tensor";
  }
}

function markBytes(bytes: Uint8Array, field: PlacedField): void {
  const width = bytesPerValue[field.dtype];
  for (const position of positionsOf(field))
    bytes.fill(1, position * width, (position + 1) * width);
}

function bytesOf({ buffer, byteOffset, byteLength }: Uint32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
