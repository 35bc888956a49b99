import type { Backend } from "@gradstep/core";
import { describe, expect, test } from "vitest";
import { isSharedMemory, type Heap } from "../src/memory/heap.js";
import { WasmTensor, type TensorContext } from "../src/memory/wasm-tensor.js";

/** A heap that never uses a block again, and what tensors did with it. */
function tracked(descriptor: WebAssembly.MemoryDescriptor = { initial: 1 }) {
  const memory = new WebAssembly.Memory(descriptor);
  let next = 64;
  const [allocated, freed]: number[][] = [[], []];
  const heap: Heap = {
    memory,
    allocate: (byteLength) => {
      allocated.push(byteLength);
      next += 1024;
      return next - 1024;
    },
    free: (address) => freed.push(address),
  };
  const relocations = { count: 0 };
  const context: TensorContext = {
    backend: {} as Backend,
    heap,
    isShared: isSharedMemory(memory),
    onRelocate: () => {
      relocations.count += 1;
    },
  };
  const tensor = (shape: readonly number[], address?: number, capacity?: number): WasmTensor =>
    new WasmTensor(context, shape, address, capacity);
  const wrap = (address: number, length: number): Float32Array =>
    new Float32Array(memory.buffer, address, length);
  return { memory, allocated, freed, relocations, tensor, wrap };
}

const withCode = (code: string): Error => expect.objectContaining({ code }) as Error;

describe("a tensor without values", () => {
  test("has an empty range, and nothing can be read", async () => {
    const tensor = tracked().tensor([2]);
    expect(tensor.memory).toEqual({ buffer: tensor, byteOffset: 0, byteLength: 0 });
    expect(tensor.freed).toBe(false);
    expect(() => tensor.view()).toThrow(withCode("INVALID_MEMORY"));
    await expect(tensor.read()).rejects.toMatchObject({ code: "INVALID_MEMORY" });
  });

  test("uses values in the memory in place, and copies others into one block of its own", () => {
    const { allocated, freed, relocations, tensor, wrap } = tracked();
    const staged = tensor([3]);
    wrap(32, 3).set([1, 2, 3]);
    staged.stage(wrap(32, 3));
    expect([staged.address, allocated.length, relocations.count]).toEqual([32, 0, 0]);
    expect([...staged.view()]).toEqual([1, 2, 3]);
    staged.stage(Float32Array.of(4, 5, 6));
    expect([staged.address, ...allocated, relocations.count]).toEqual([64, 12, 1]);
    expect([...staged.view()]).toEqual([4, 5, 6]);
    expect([...wrap(32, 3)]).toEqual([1, 2, 3]);
    staged.stage(Float32Array.of(7, 8, 9));
    expect([staged.address, ...allocated, relocations.count]).toEqual([64, 12, 1]);
    expect([...staged.view()]).toEqual([7, 8, 9]);
    staged.stage(wrap(32, 3));
    expect([staged.address, relocations.count]).toEqual([32, 2]);
    staged.free();
    expect(freed).toEqual([64]);
  });
});

test("a tensor that was freed cannot be used, and frees its block once", async () => {
  const { freed, relocations, tensor } = tracked();
  const owner = tensor([2]).allocate();
  owner.free();
  owner.free();
  expect([owner.freed, ...freed, relocations.count]).toEqual([true, 64, 1]);
  for (const use of [
    () => owner.view(),
    () => owner.address,
    () => owner.memory,
    () => owner.write([1, 2]),
    () => owner.stage(Float32Array.of(1, 2)),
    () => owner.reallocate([3]),
  ])
    expect(use).toThrow(withCode("DISPOSED"));
  await expect(owner.read()).rejects.toMatchObject({ code: "DISPOSED" });
  const borrower = tensor([2], 32);
  borrower.free();
  expect(freed).toEqual([64]);
});

test("the range has the capacity, and is the same until the tensor moves", () => {
  const { memory, tensor, wrap } = tracked();
  const one = tensor([2, 2], 32, 6);
  const { memory: range } = one;
  expect(range).toMatchObject({ byteOffset: 32, byteLength: 24 });
  expect(range.buffer).toBe(memory.buffer);
  expect(one.memory).toBe(range);
  one.stage(wrap(256, 4));
  expect(one.memory).toMatchObject({ byteOffset: 256 });
  expect(one.view().byteOffset).toBe(256);
});

test("a view is of the current buffer, also of shared memory, which growth does not detach", () => {
  const { memory, tensor } = tracked({ initial: 1, maximum: 2, shared: true });
  const one = tensor([2], 32);
  const before = one.view();
  before.set([1, 2]);
  expect(one.view()).toBe(before);
  memory.grow(1);
  expect(one.view()).not.toBe(before);
  expect(one.view().buffer).toBe(memory.buffer);
  expect([...one.view()]).toEqual([1, 2]);
});

describe("another number of rows", () => {
  test("is in place within the capacity, which stays", () => {
    const { allocated, freed, relocations, tensor } = tracked();
    const one = tensor([2, 2], 32, 8);
    one.write([1, 2, 3, 4]);
    const reallocation = one.reallocate([4, 2]);
    expect(reallocation.isInPlace).toBe(true);
    expect([...reallocation.before()]).toEqual([1, 2, 3, 4]);
    expect([...reallocation.after().subarray(0, 4)]).toEqual([1, 2, 3, 4]);
    expect(one.shape).toEqual([2, 2]);
    reallocation.commit();
    expect([one.shape, one.size, one.address]).toEqual([[4, 2], 8, 32]);
    expect(one.view()).toHaveLength(8);
    expect(one.memory.byteLength).toBe(32);
    one.reallocate([1, 2]).rollback();
    expect([allocated, freed, relocations.count]).toEqual([[], [], 1]);
    expect(() => one.reallocate([5, 2])).toThrow(withCode("INVALID_MEMORY"));
  });

  test("beyond it takes a block half as large again, or what is needed", () => {
    const { allocated, freed, tensor } = tracked();
    const one = tensor([4, 2]).allocate();
    one.write([1, 2, 3, 4, 5, 6, 7, 8]);
    one.reallocate([5, 2]).rollback();
    expect([allocated, freed]).toEqual([[32, 48], [1088]]);
    expect([one.shape, one.address]).toEqual([[4, 2], 64]);
    const reallocation = one.reallocate([5, 2]);
    expect(reallocation.isInPlace).toBe(false);
    reallocation.after().set(reallocation.before());
    reallocation.commit();
    expect([allocated, freed]).toEqual([
      [32, 48, 48],
      [1088, 64],
    ]);
    expect([one.shape, one.address, one.memory.byteLength]).toEqual([[5, 2], 2112, 48]);
    expect([...one.view()]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 0, 0]);
    expect(one.reallocate([6, 2]).isInPlace).toBe(true);
    one.reallocate([20, 2]);
    expect(allocated.at(-1)).toBe(160);
    one.free();
    expect(freed).toEqual([1088, 64, 2112]);
  });
});
