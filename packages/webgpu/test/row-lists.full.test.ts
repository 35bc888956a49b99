import { adam, adamw, createOptimizer, sgd, type GradstepError, type Tensor } from "@gradstep/core";
import { webgpu, type WebGpu } from "@gradstep/webgpu";
import { expect, test } from "vitest";
import { bufferOf, describe, newBackend, sharedDevice } from "./gpu.js";

const rows = 300;

function numbers(length: number, salt: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.fround(Math.sin(i * 1.7 + salt)));
}

const lists: readonly Uint32Array[] = [
  Uint32Array.from({ length: 120 }, (_, i) => (i * 97) % rows),
  Uint32Array.from({ length: 200 }, (_, i) => (i * i) % 23),
  Uint32Array.of(299),
];

/** A tensor of u32 in a buffer of its own, with other words around it. */
function indexTensor(backend: WebGpu, indices: Uint32Array): Tensor {
  const words = Uint32Array.of(7, ...indices, 7);
  const options = { offset: 1, shape: [indices.length], dtype: "u32" } as const;
  return backend.wrap(bufferOf(backend.device, new Float32Array(words.buffer)), options);
}

/** Parameter and slots after a step per list. @param as how gradients are passed */
async function train(
  backend: WebGpu,
  columns: number,
  as: "arrays" | "tensors" | "encoded" | "masks",
  sparse: "lazy" | "dense" = "lazy",
): Promise<unknown> {
  const e = backend.tensor([rows, columns], numbers(rows * columns, 1));
  const optimizer = createOptimizer(adam({ learningRate: 0.1 }), { e }, { sparse });
  for (const [step, indices] of lists.entries()) {
    const values = numbers(indices.length * columns, 10 + step);
    if (as === "arrays") optimizer.step({ e: { indices, values } });
    else if (as === "masks") {
      const all = new Float32Array(rows * columns);
      const mask = new Uint32Array(rows);
      indices.forEach((row, i) => {
        for (let j = 0; j < columns; j += 1) {
          const value = values[i * columns + j];
          all[row * columns + j] =
            mask[row] === 0 ? value : Math.fround(all[row * columns + j] + value);
        }
        mask[row] = 1;
      });
      optimizer.step({ e: all }, sparse === "lazy" ? { rows: mask } : {});
    } else {
      const gradient = {
        indices: indexTensor(backend, indices),
        values: backend.tensor([indices.length, columns], values),
      };
      if (as === "tensors") optimizer.step({ e: gradient });
      else {
        const encoder = backend.device.createCommandEncoder();
        optimizer.encode(encoder, { e: gradient });
        backend.device.queue.submit([encoder.finish()]);
      }
    }
  }
  return [await e.read(), (await optimizer.state()).slots];
}

describe("lists of rows", () => {
  test.each([1, 7, 64])(
    "rows of %i values: arrays, tensors and encoded steps give the bits of a mask, or of all rows",
    async (columns) => {
      const backend = await newBackend();
      for (const sparse of ["lazy", "dense"] as const) {
        const expected = await train(backend, columns, "masks", sparse);
        for (const as of ["arrays", "tensors", "encoded"] as const)
          expect([as, await train(backend, columns, as, sparse)]).toEqual([as, expected]);
      }
    },
  );

  test("dense steps hold to masks, and to the number of rows of a state", async () => {
    const backend = await newBackend();
    const columns = 3;
    const mask = Uint32Array.from({ length: rows }, (_, row) => row % 3);
    const treatments = ["keep", "decay", "zero", "number"] as const;
    for (const treatment of treatments) {
      const [sparse, dense] = ["tensors", "array"].map((as) => {
        const e = backend.tensor([rows, columns], numbers(rows * columns, 1));
        const optimizer = createOptimizer(
          adamw({ learningRate: 0.1, weightDecay: 0.1 }),
          { e },
          { sparse: "dense" },
        );
        return { as, e, optimizer };
      });
      for (const [step, indices] of [...lists, ...lists].entries()) {
        const values = numbers(indices.length * columns, 10 + step);
        for (const { as, optimizer } of [sparse, dense]) {
          // All rows have moments before some are left out.
          if (treatment === "number" && step === 2)
            optimizer.restore({ ...(await optimizer.state()), rowCounts: { e: 100 } });
          const all = new Float32Array(rows * columns);
          indices.forEach((row, i) => {
            for (let j = 0; j < columns; j += 1) all[row * columns + j] += values[i * columns + j];
          });
          const gradient =
            as === "array"
              ? all
              : {
                  indices: indexTensor(backend, indices),
                  values: backend.tensor([indices.length, columns], values),
                };
          const isMasked = treatment !== "number" && step % 3 > 0;
          optimizer.step(
            { e: gradient },
            isMasked ? { rows: mask, unselectedRows: treatment } : undefined,
          );
        }
      }
      const of = async ({ e, optimizer }: typeof sparse) => [
        await e.read(),
        (await optimizer.state()).slots,
      ];
      expect([treatment, await of(sparse)]).toEqual([treatment, await of(dense)]);
    }
  });

  test("a parameter that does not fit into a binding is updated in parts", async () => {
    const device = await sharedDevice();
    const small = new Proxy(device, {
      get: (target, key) => {
        if (key === "limits") {
          const { minStorageBufferOffsetAlignment, minUniformBufferOffsetAlignment } =
            target.limits;
          const { maxStorageBuffersPerShaderStage, maxBufferSize } = target.limits;
          const { maxComputeWorkgroupsPerDimension } = target.limits;
          return {
            minStorageBufferOffsetAlignment,
            minUniformBufferOffsetAlignment,
            maxStorageBuffersPerShaderStage,
            maxBufferSize,
            maxComputeWorkgroupsPerDimension,
            maxStorageBufferBindingSize: 8192,
          };
        }
        const value: unknown = Reflect.get(target, key);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
    const backend = webgpu({ device: small });
    expect(await train(backend, 10, "tensors")).toEqual(
      await train(await newBackend(), 10, "masks"),
    );
    expect(await train(backend, 10, "tensors", "dense")).toEqual(
      await train(await newBackend(), 10, "masks", "dense"),
    );
    expect(await train(backend, 10, "arrays")).toEqual(
      await train(await newBackend(), 10, "masks"),
    );
    backend.dispose();
  });

  test("indices that are too large are left out, and values can be in the parameter's buffer", async () => {
    const backend = await newBackend();
    const buffer = bufferOf(backend.device, new Float32Array(32));
    const e = backend.wrap(buffer, { shape: [4, 2] });
    const values = backend.wrap(buffer, { shape: [3, 2], offset: 16 });
    values.write([1, 2, 3, 4, 5, 6]);
    const optimizer = createOptimizer(sgd({ learningRate: 1 }), { e }, { sparse: "lazy" });
    optimizer.step({ e: { indices: indexTensor(backend, Uint32Array.of(3, 4, 3)), values } });
    expect([...(await e.read())]).toEqual([0, 0, 0, 0, 0, 0, -6, -8]);
  });

  test("sums are those of the order of the indices", async () => {
    const backend = await newBackend();
    const e = backend.tensor([2, 1]);
    const values = backend.tensor([4, 1], [1, 2 ** 24, -(2 ** 24), 1]);
    const optimizer = createOptimizer(sgd({ learningRate: 1 }), { e }, { sparse: "lazy" });
    optimizer.step({ e: { indices: indexTensor(backend, Uint32Array.of(1, 1, 1, 1)), values } });
    expect([...(await e.read())]).toEqual([0, -1]);
  });

  test("what tensors of indices cannot be used for is refused", async () => {
    const backend = await newBackend();
    const codeOf = (action: () => unknown): string => {
      try {
        action();
        return "none";
      } catch (error) {
        return (error as GradstepError).code;
      }
    };
    const indices = indexTensor(backend, Uint32Array.of(1));
    const values = backend.tensor([1, 2], [1, 1]);
    const optimizer = (options: object) =>
      createOptimizer(adam(), { e: backend.tensor([2, 2]) }, { sparse: "lazy", ...options });
    const step = (options: object, gradient: object) => () =>
      optimizer(options).step({ e: gradient as never });
    expect(codeOf(step({}, { indices, values: new Float32Array(2) }))).toBe("INVALID_GRADIENT");
    expect(codeOf(step({}, { indices: values, values }))).toBe("INVALID_GRADIENT");
    expect(codeOf(step({}, { indices, values: backend.tensor([3]) }))).toBe("LENGTH_MISMATCH");
    expect(codeOf(step({ rowSteps: true }, { indices, values }))).toBe("UNSUPPORTED");
    expect(codeOf(step({ accumulate: 2 }, { indices, values }))).toBe("UNSUPPORTED");
    const encoder = backend.device.createCommandEncoder();
    const arrays = { indices: Uint32Array.of(1), values };
    expect(codeOf(() => optimizer({}).encode(encoder, { e: arrays }))).toBe("INVALID_GRADIENT");
  });
});

describe("indices with a stride", () => {
  test("the values of an index that occurs twice are added", async () => {
    const backend = await newBackend();
    const { device } = backend;
    const buffer = bufferOf(device, new Float32Array(6));
    device.queue.writeBuffer(buffer, 0, Uint32Array.of(1, 7, 2, 1, 1, 2));
    const indices = backend.wrap(buffer, { shape: [3], rowStride: 2, dtype: "u32" });
    const w = backend.tensor([4]);
    const optimizer = createOptimizer(sgd({ learningRate: 1 }), { w });
    optimizer.step({ w: { indices, values: backend.tensor([3], [1, 2, 4]) } });
    expect([...(await w.read())]).toEqual([0, -5, -2, 0]);
    await backend.ready();
  });
});
