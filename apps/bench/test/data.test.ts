import { expect, test } from "vitest";
import { dataFor, makeBlock, period, type Block } from "../src/data.js";
import { workloads } from "../src/workloads/index.js";
import { parametersIn, valuesIn } from "../src/workloads/workload.js";

const block = makeBlock(1);

test("the values depend on the seed alone", () => {
  const bytes = ({ parameters, gradients }: Block): Buffer[] =>
    [parameters, ...gradients].map((values) => Buffer.from(values.buffer));
  expect(bytes(makeBlock(1)).every((one, i) => one.equals(bytes(block)[i]))).toBe(true);
  expect(bytes(makeBlock(2))[0].equals(bytes(block)[0])).toBe(false);
});

test("gradients are finite, never 0, of two kinds, and span three orders of magnitude", () => {
  const [first, second] = block.gradients;
  expect(first).not.toEqual(second);
  const sizes = Array.from(first, Math.abs).sort((a, b) => a - b);
  expect(sizes[0]).toBeGreaterThan(0);
  expect(sizes.at(-1)).toBeLessThan(10);
  expect(sizes[Math.floor(0.9 * period)] / sizes[Math.floor(0.1 * period)]).toBeGreaterThan(1e3);
});

test("each value of a workload is the one of the block at its index", () => {
  const shapes = [[3], [100, 700], [1], [period]];
  const data = dataFor({ name: "some", shapes }, block);
  expect(data.offsets).toEqual([0, 3, 70_003, 70_004]);
  data.parameters().forEach((values, tensor) => {
    expect(values.length).toBe(valuesIn(shapes[tensor]));
    const offset = data.offsets[tensor];
    for (const i of [0, 1, 65_533, 65_534, values.length - 1]) {
      if (i >= values.length) continue;
      expect(values[i]).toBe(block.parameters[(offset + i) % period]);
      data.gradients.forEach((kind, k) => {
        expect(kind[tensor][i]).toBe(block.gradients[k][(offset + i) % period]);
      });
    }
  });
});

test("parameters are new arrays each time", () => {
  const data = dataFor({ name: "some", shapes: [[4]] }, block);
  data.parameters()[0].fill(9);
  expect(data.parameters()[0][0]).toBe(block.parameters[0]);
});

test("the model has 180 tensors and 5.3 million parameters", () => {
  const model = workloads.find(({ name }) => name === "model")!;
  expect(model.shapes.length).toBe(180);
  expect((parametersIn(model) / 1e6).toFixed(1)).toBe("5.3");
  const sizes = model.shapes.map(valuesIn);
  expect([Math.min(...sizes), Math.max(...sizes)]).toEqual([16, 792_000]);
});
