import { describe, expect, test } from "vitest";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import { reference } from "../src/reference.js";
import { sgd } from "../src/rules/sgd.js";
import { laidOut } from "./laid-out.js";
import { failureOf } from "./support.js";

const values = Float32Array.from({ length: 12 }, (_, i) => i + 1);

function make(shape: readonly number[], control = {}) {
  const backend = reference();
  const w = backend.tensor(shape);
  const optimizer = createOptimizer(sgd({ learningRate: 1 }), { w }, control);
  return { backend, w, optimizer };
}

describe("a gradient of a parameter of shape [3, 4]", () => {
  test("is an array, a tensor of one dimension, or a tensor of that shape", async () => {
    const { backend, w, optimizer } = make([3, 4]);
    for (const gradient of [
      values,
      backend.tensor([12], values),
      backend.tensor([3, 4], values),
      optimizer.gradient("w"),
    ]) {
      w.write(new Float32Array(12));
      optimizer.gradient("w").write(values);
      optimizer.step({ w: gradient });
      expect([...(await w.read())]).toEqual(Array.from(values, (value) => -value));
    }
  });

  test.for([
    [4, 3],
    [12, 1],
    [1, 12],
    [2, 6],
    [3, 2, 2],
    [1, 3, 4],
    [3, 4, 1],
  ])("is not a tensor of shape %j", async (shape) => {
    for (const control of [{}, { accumulate: 2 }, { nonFinite: "skip" }]) {
      const { backend, w, optimizer } = make([3, 4], control);
      const right = backend.tensor([3, 4], values);
      optimizer.step({ w: right });
      const before = await w.read();
      const { code, message } = failureOf(() =>
        optimizer.step({ w: backend.tensor(shape, values) }),
      );
      expect(code).toBe("INVALID_SHAPE");
      expect(message).toContain(
        `"w" has shape [${shape.join(", ")}]; expected [3, 4], or one dimension`,
      );
      expect([await w.read(), optimizer.iterations]).toEqual([before, control.accumulate ? 0 : 1]);
    }
  });

  test("has no other rows with gaps between them", () => {
    const { backend, optimizer } = make([3, 4]);
    for (const shape of [[12], [4, 3], [3, 2, 2]]) {
      const columns = shape.slice(1).reduce((product, length) => product * length, 1);
      const gradient = laidOut(backend, { shape, dtype: "f32", rowStride: columns + 1 });
      expect(failureOf(() => optimizer.step({ w: gradient })).code).toBe("INVALID_SHAPE");
    }
    expect(optimizer.iterations).toBe(0);
  });
});

test("a gradient of a number or a vector has its shape, or one dimension", () => {
  for (const [parameter, shapes, wrong] of [
    [[], [[], [1]], [1, 1]],
    [[12], [[12]], [12, 1]],
    [
      [1, 1],
      [[], [1], [1, 1]],
      [1, 1, 1],
    ],
  ] as const) {
    const { backend, optimizer } = make(parameter);
    for (const shape of shapes) optimizer.step({ w: backend.tensor(shape) });
    expect(optimizer.iterations).toBe(shapes.length);
    const { code } = failureOf(() => optimizer.step({ w: backend.tensor(wrong) }));
    expect(code).toBe("INVALID_SHAPE");
  }
});

describe("values of a sparse gradient", () => {
  const indices = Uint32Array.of(0, 2, 1);

  test("are rows of one dimension, one per index, or one per index of a batch", () => {
    const { backend, optimizer } = make([5, 2, 2]);
    for (const shape of [[12], [3, 4], [3, 2, 2], [1, 3, 4]])
      optimizer.step({ w: { indices, values: backend.tensor(shape, values) } });
    expect(optimizer.iterations).toBe(4);
  });

  test("are not columns", () => {
    const { backend, optimizer } = make([5, 4]);
    for (const shape of [
      [4, 3],
      [2, 6],
      [4, 1, 3],
    ]) {
      const { code, message } = failureOf(() =>
        optimizer.step({ w: { indices, values: backend.tensor(shape, values) } }),
      );
      expect(code).toBe("LENGTH_MISMATCH");
      expect(message).toContain(`have shape [${shape.join(", ")}]; expected [3, 4]`);
    }
    expect(optimizer.iterations).toBe(0);
  });
});
