import type { WrappingBackend } from "@gradstep/core";
import { adam, createOptimizer, show } from "@gradstep/core";
import { assert, assertCode, assertEqual, assertSame } from "../assertions.js";
import type { Check, Context } from "../check.js";

const group = "tensors";

/** Allocate, wrap, write, read, free. */
export const tensorChecks: readonly Check[] = [
  {
    group,
    name: "start at zero, or at the values given",
    run: async ({ target }) => {
      const backend = await target.backend();
      assertSame(await backend.tensor([2, 3]).read(), [0, 0, 0, 0, 0, 0], "a new tensor");
      const values = Float32Array.of(1.5, -2.5);
      const tensor = backend.tensor([2], values);
      values[0] = 9;
      assertSame(await tensor.read(), [1.5, -2.5], "a tensor with values, which are copied");
      const scalar = backend.tensor([], [0.1]);
      assertEqual(scalar.size, 1, "size of a tensor of shape []");
      assertEqual(scalar.shape, [], "shape of a tensor of shape []");
      assertSame(await scalar.read(), [Math.fround(0.1)], "an f64 value rounded to f32");
    },
  },
  {
    group,
    name: "writes and reads are copies",
    run: async ({ target }) => {
      const tensor = (await target.backend()).tensor([3]);
      const values = Float32Array.of(1, 2, 3);
      tensor.write(values);
      values.fill(7);
      const read = await tensor.read();
      assertSame(read, [1, 2, 3], "after write");
      read.fill(8);
      assertSame(await tensor.read(), [1, 2, 3], "after the array that was read is changed");
    },
  },
  {
    group,
    name: "shapes and lengths are checked",
    run: async ({ target }) => {
      const backend = await target.backend();
      const shapes: unknown[] = [
        [0],
        [2, 0],
        [-1],
        [1.5],
        [Number.NaN],
        [2 ** 53],
        "3",
        3,
        [["3"]],
      ];
      for (const shape of shapes) {
        await assertCode("INVALID_SHAPE", `tensor(${JSON.stringify(shape)})`, () =>
          backend.tensor(shape as number[]),
        );
        await assertCode("INVALID_SHAPE", `staging(${JSON.stringify(shape)})`, () =>
          backend.staging(shape as number[]),
        );
      }
      await assertCode("LENGTH_MISMATCH", "3 values for [2]", () => backend.tensor([2], [1, 2, 3]));
      const tensor = backend.tensor([2], [1, 2]);
      await assertCode("LENGTH_MISMATCH", "write 3 of 2", () => tensor.write([1, 2, 3]));
      await assertCode("LENGTH_MISMATCH", "write 1 of 2", () => tensor.write([1]));
      assertSame(await tensor.read(), [1, 2], "after writes that were refused");
    },
  },
  {
    group,
    name: "a freed tensor cannot be used",
    run: async (context) => {
      const backend = await context.target.backend();
      const tensor = backend.tensor([2], [1, 2]);
      assert(!tensor.freed, "tensor.freed is true before free(); expected false");
      tensor.free();
      tensor.free();
      assert(tensor.freed, "tensor.freed is false after free(); expected true");
      await assertCode("DISPOSED", "read after free", () => tensor.read());
      await assertCode("DISPOSED", "write after free", () => tensor.write([1, 2]));
      await assertCode("DISPOSED", "a parameter that was freed", () =>
        context.target.create(adam(), { tensor }),
      );
      const parameter = backend.tensor([2], [1, 2]);
      const optimizer = createOptimizer(adam(), { parameter });
      await assertCode("DISPOSED", "a gradient that was freed", () =>
        optimizer.step({ parameter: tensor }),
      );
      assertSame(await parameter.read(), [1, 2], "after a step that was refused");
    },
  },
  {
    group,
    name: "new tensors are zeros after others were freed",
    run: async ({ target }) => {
      const backend = await target.backend();
      for (let i = 0; i < 4; i += 1) {
        const used = backend.tensor([300], new Float32Array(300).fill(5));
        used.free();
        assertSame(await backend.tensor([300]).read(), new Float32Array(300), "after free");
      }
    },
  },
  {
    group,
    name: "the backend says what it is",
    run: async ({ target }) => {
      const backend = await target.backend();
      const { name } = backend as { name?: unknown };
      assert(
        typeof name === "string" && name !== "",
        `backend.name is ${show(name)}; expected a string that is not empty`,
      );
      assertEqual(backend.precision, "f32", "backend.precision");
      const tensor = backend.tensor([2, 2]);
      assert(
        tensor.backend === backend,
        "tensor.backend is another object than the backend; expected the object whose tensor() was called",
      );
      assertEqual(tensor.size, 4, "tensor.size of shape [2, 2]");
      assertEqual(tensor.memory.byteLength, 16, "memory.byteLength of a tensor of 4 values");
    },
  },
  {
    group: "wrapped arrays",
    name: "are updated in place and survive free",
    needs: ["wrapsArrays"],
    run: async ({ target }) => {
      const backend = (await target.backend()) as WrappingBackend<Float32Array>;
      const array = Float32Array.of(1, 2, 3, 4);
      const whole = backend.wrap(array);
      assertSame(whole.shape, [4], "shape of all of an array");
      whole.write([5, 6, 7, 8]);
      assertSame(array, [5, 6, 7, 8], "the array after write");
      array[0] = 1;
      assertSame(await whole.read(), [1, 6, 7, 8], "read after the array was changed");
      whole.free();
      assertSame(array, [1, 6, 7, 8], "the array after free");
      await assertCode("DISPOSED", "read after free", () => whole.read());
    },
  },
  {
    group: "wrapped arrays",
    name: "cover the given range, or are refused",
    needs: ["wrapsArrays"],
    run: wrapRanges,
  },
];

async function wrapRanges({ target }: Context): Promise<void> {
  const backend = (await target.backend()) as WrappingBackend<Float32Array>;
  const memory = Float32Array.from({ length: 12 }, (_, i) => i);
  const view = memory.subarray(3, 11);
  const ranges = [
    { tensor: backend.wrap(memory, { offset: 10 }), values: [10, 11] },
    { tensor: backend.wrap(memory, { offset: 1, shape: [2, 2] }), values: [1, 2, 3, 4] },
    { tensor: backend.wrap(view, { offset: 2, shape: [3] }), values: [5, 6, 7] },
    { tensor: backend.wrap(view), values: [3, 4, 5, 6, 7, 8, 9, 10] },
  ];
  for (const { tensor, values } of ranges) {
    assertSame(await tensor.read(), values, "a range");
    const { buffer, byteOffset, byteLength } = tensor.memory;
    assert(
      buffer === memory.buffer,
      "memory.buffer of a wrapped array is another buffer; expected the array's own: wrap must not copy",
    );
    assertEqual(byteOffset, values[0] * 4, "memory.byteOffset of a wrapped range");
    assertEqual(byteLength, values.length * 4, "memory.byteLength of a wrapped range");
  }
  const wrong: { what: string; code: "INVALID_MEMORY" | "INVALID_SHAPE"; make: () => unknown }[] = [
    {
      what: "a Float64Array",
      code: "INVALID_MEMORY",
      make: () => backend.wrap(new Float64Array(3) as never),
    },
    { what: "a plain array", code: "INVALID_MEMORY", make: () => backend.wrap([1, 2] as never) },
    { what: "nothing", code: "INVALID_MEMORY", make: () => backend.wrap(undefined as never) },
    { what: "offset −1", code: "INVALID_MEMORY", make: () => backend.wrap(memory, { offset: -1 }) },
    {
      what: "offset 0.5",
      code: "INVALID_MEMORY",
      make: () => backend.wrap(memory, { offset: 0.5 }),
    },
    {
      what: "offset 12 of 12",
      code: "INVALID_MEMORY",
      make: () => backend.wrap(memory, { offset: 12 }),
    },
    { what: "13 of 12", code: "INVALID_MEMORY", make: () => backend.wrap(memory, { shape: [13] }) },
    {
      what: "4 at 9 of 12",
      code: "INVALID_MEMORY",
      make: () => backend.wrap(memory, { shape: [2, 2], offset: 9 }),
    },
    { what: "shape [0]", code: "INVALID_SHAPE", make: () => backend.wrap(memory, { shape: [0] }) },
  ];
  for (const { what, code, make } of wrong) await assertCode(code, `wrap of ${what}`, make);
}
