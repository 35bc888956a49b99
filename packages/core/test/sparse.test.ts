import { describe, expect, it } from "vitest";
import { adam, createOptimizer, sgd, type SparseGradient, type Tensor } from "@gradstep/core";
import { oracle, reference } from "@gradstep/core/reference";
import { rules } from "@gradstep/core/rules";

const rows = 5;
const columns = 3;

function random(length: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** The gradient of all rows, written down independently. */
function dense({ indices, values }: { indices: Uint32Array; values: Float32Array }): Float32Array {
  const result = new Float32Array(rows * columns);
  const seen = new Set<number>();
  indices.forEach((row, i) => {
    for (let j = 0; j < columns; j += 1) {
      const value = values[i * columns + j];
      const at = row * columns + j;
      result[at] = seen.has(row) ? Math.fround(result[at] + value) : value;
    }
    seen.add(row);
  });
  return result;
}

function thrown(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe("sparse gradients, dense", () => {
  it.each(rules.map((rule) => [rule.name, rule] as const))(
    "%s: the bits of the step with the gradient of all rows",
    async (_, rule) => {
      const backend = reference();
      const start = random(rows * columns, 1);
      const tensors = [0, 1].map(() => backend.tensor([rows, columns], start));
      const [sparse, full] = tensors.map((e) => createOptimizer(rule.specify({}), { e }));
      const steps = [[4, 1, 4, 4, 0], [2], [1, 1, 1, 3, 2], [], [0, 1, 2, 3, 4]];
      for (const [k, list] of steps.entries()) {
        const indices = Uint32Array.from(list);
        const values = random(list.length * columns, 10 + k);
        if (values.length > 0) values[0] = -0;
        sparse.step({ e: { indices, values } });
        full.step({ e: dense({ indices, values }) });
        const bits = (tensor: Tensor): Promise<Uint32Array> =>
          tensor.read().then((read) => new Uint32Array(read.buffer));
        expect(await bits(tensors[0])).toEqual(await bits(tensors[1]));
      }
      const [one, other] = await Promise.all([sparse.state(), full.state()]);
      expect(one).toEqual(other);
    },
  );

  it("sums values of one index in their order", async () => {
    const backend = reference();
    const e = backend.tensor([2, 1]);
    const values = Float32Array.of(1, 2 ** 24, -(2 ** 24), 1);
    createOptimizer(sgd({ learningRate: 1 }), { e }).step({
      e: { indices: Int32Array.of(1, 1, 1, 1), values },
    });
    // 1 + 2^24 is rounded to 2^24.
    expect([...(await e.read())]).toEqual([0, -1]);
  });

  it("takes values in tensors, f64, other parameters with arrays, and parameters of one dimension", async () => {
    const backend = oracle();
    const e = backend.tensor([3]);
    const w = backend.tensor([2], [1, 1]);
    const optimizer = createOptimizer(sgd({ learningRate: 1 }), { e, w });
    const values = backend.tensor([2], [0.1, 0.2]);
    optimizer.step({ w: Float64Array.of(1, 2), e: { indices: Uint32Array.of(2, 2), values } });
    expect([...(await e.read())]).toEqual([0, 0, -(0.1 + 0.2)]);
    expect([...(await w.read())]).toEqual([0, -1]);
  });

  it("goes on after rows were moved, and after a gradient of all rows", async () => {
    const backend = reference();
    const e = backend.tensor([2, 1], [1, 2]);
    const optimizer = createOptimizer(sgd({ learningRate: 1 }), { e });
    const gradient = { indices: Uint32Array.of(1), values: Float32Array.of(1) };
    optimizer.step({ e: gradient });
    optimizer.rows("e").remap(Uint32Array.of(1, 0, 1));
    optimizer.step({ e: gradient });
    optimizer.step({ e: Float32Array.of(1, 0, 0) });
    optimizer.step({ e: { indices: Uint32Array.of(2), values: Float32Array.of(1) } });
    expect([...(await e.read())]).toEqual([0, 0, 0]);
    optimizer.dispose();
  });

  it("is explained", async () => {
    const e = reference().tensor([3, 2]);
    const optimizer = createOptimizer(adam(), { e });
    const gradient = {
      indices: Uint32Array.of(2, 0, 2),
      values: Float32Array.of(1, 2, 3, 4, 5, 6),
    };
    const explanation = await optimizer.explain("e", 5, { e: gradient });
    expect(String(explanation)).toContain("8");
    const dense = Float32Array.of(3, 4, 0, 0, 6, 8);
    expect(String(explanation)).toBe(String(await optimizer.explain("e", 5, { e: dense })));
  });
});

describe("sparse gradients, lazy", () => {
  it.each([{ accumulate: 2 }, { lossScale: 4 }, { accumulate: 3, lossScale: 4 }])(
    "%o: the bits of steps with masks, and no kernel changes other rows",
    async (options) => {
      const [lazy, masked] = ["lazy", "dense"].map((sparse) => {
        const backend = reference();
        const compile = backend.compile.bind(backend);
        const widths: number[] = [];
        backend.compile = (variant) => {
          const kernel = compile(variant);
          const run = kernel.run.bind(kernel);
          kernel.run = (updates, count) => {
            for (const { mask } of updates.slice(0, count))
              widths.push(ArrayBuffer.isView(mask) ? mask.filter((one) => one !== 0).length : rows);
            run(updates, count);
          };
          return kernel;
        };
        const e = backend.tensor([rows, columns], random(rows * columns, 1));
        const settings = { sparse: sparse as "lazy", ...options };
        return { e, widths, optimizer: createOptimizer(adam(), { e }, settings) };
      });
      for (let call = 0; call < 18; call += 1) {
        // One row in each call of a step, or the same twice.
        const indices = Uint32Array.of((call * 3) % rows, (call * 3) % rows);
        const values = random(2 * columns, call + 20);
        lazy.optimizer.step({ e: { indices, values } });
        const mask = Uint32Array.from({ length: rows }, (_, row) => Number(row === indices[0]));
        masked.optimizer.step({ e: dense({ indices, values }) }, { rows: mask });
        expect(await lazy.e.read()).toEqual(await masked.e.read());
      }
      const mostRows = options.accumulate ?? 1;
      expect(Math.max(...lazy.widths)).toBe(mostRows);
    },
  );
});

describe("sparse gradients that are refused", () => {
  const backend = reference();
  const memory = new Float32Array(16);
  const e = backend.wrap(memory, { shape: [4, 3] });
  const single = backend.tensor([]);
  const optimizer = createOptimizer(adam(), { e, single });
  const freed = backend.tensor([1, 3]);
  freed.free();
  const other = reference().tensor([1, 3]);
  const one = Uint32Array.of(1);
  const three = new Float32Array(3);

  it.each<[string, string, unknown]>([
    [
      "an index that is too large",
      "INVALID_GRADIENT",
      { indices: Uint32Array.of(4), values: three },
    ],
    ["a negative index", "INVALID_GRADIENT", { indices: Int32Array.of(-1), values: three }],
    ["too few values", "LENGTH_MISMATCH", { indices: one, values: new Float32Array(2) }],
    ["too many values", "LENGTH_MISMATCH", { indices: one, values: new Float32Array(6) }],
    ["indices in a list", "INVALID_GRADIENT", { indices: [1], values: three }],
    ["indices of floats", "INVALID_GRADIENT", { indices: Float32Array.of(1), values: three }],
    ["no indices", "INVALID_GRADIENT", { indices: undefined, values: three }],
    ["values in a list", "INVALID_GRADIENT", { indices: one, values: [1, 2, 3] }],
    ["values in f64", "INVALID_GRADIENT", { indices: one, values: new Float64Array(3) }],
    ["no values", "INVALID_GRADIENT", { indices: one, values: null }],
    ["values of another backend", "INVALID_GRADIENT", { indices: one, values: other }],
    ["values that were freed", "DISPOSED", { indices: one, values: freed }],
    ["values not staged", "INVALID_MEMORY", { indices: one, values: backend.staging([1, 3]) }],
    ["indices of f32 in a tensor", "INVALID_GRADIENT", { indices: other, values: three }],
    [
      "the parameter's own values",
      "OVERLAPPING_MEMORY",
      { indices: one, values: memory.subarray(0, 3) },
    ],
    [
      "its memory as indices",
      "OVERLAPPING_MEMORY",
      { indices: new Uint32Array(memory.buffer, 0, 1), values: three },
    ],
  ])("%s: %s", async (_, code, gradient) => {
    const before = await Promise.all([optimizer.state(), e.read()]);
    const action = (): void => optimizer.step({ e: gradient as SparseGradient });
    expect(thrown(action)).toMatchObject({ name: "GradstepError", code });
    expect(await Promise.all([optimizer.state(), e.read()])).toEqual(before);
  });

  it("a parameter that is a single number: INVALID_SHAPE", () => {
    const gradient = { indices: Uint32Array.of(0), values: Float32Array.of(1) };
    expect(thrown(() => optimizer.step({ single: gradient }))).toMatchObject({
      code: "INVALID_SHAPE",
    });
  });
});
