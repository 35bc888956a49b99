import { chain, clipByGlobalNorm, createOptimizer, lion, sgd, type Tensor } from "@gradstep/core";
import { webgpu } from "@gradstep/webgpu";
import { expect, test } from "vitest";
import { countingDevice, countingEncoder } from "./counting-device.js";
import { describe, newBackend, sharedDevice } from "./gpu.js";

const clipped = chain(clipByGlobalNorm(1), sgd({ learningRate: 1 }));
const groups = [{ match: "b", rule: chain(clipByGlobalNorm(1), sgd({ momentum: 0.5 })) }];

/** Four roundings: the square, the root, the quotient and the product. */
const tolerance = 4 * 2 ** -24;

async function first(tensor: Tensor): Promise<number> {
  return (await tensor.read())[0];
}

describe("rules in one step", () => {
  test("are clipped by the norm of the tensors of all of them", async () => {
    const backend = await newBackend();
    const [a, b] = [backend.tensor([1]), backend.tensor([1, 1])];
    const optimizer = createOptimizer(clipped, { a, b }, { groups });
    optimizer.groups[0].learningRate = 1;
    for (let step = 1; step <= 2; step += 1) {
      optimizer.step({ a: Float32Array.of(3), b: Float32Array.of(4) });
      // The momentum of b: 0.8, then 1.2.
      expect(Math.abs(((await first(a)) / step) * (-5 / 3) - 1)).toBeLessThan(tolerance);
      expect(Math.abs((await first(b)) / [-0.8, -2][step - 1] - 1)).toBeLessThan(2 * tolerance);
    }
    expect((await optimizer.metrics()).globalNorm).toBe(5);
    await backend.ready();
  });

  test("have the masks of their own tensors", async () => {
    const backend = await newBackend();
    const [a, b] = [backend.tensor([2]), backend.tensor([2])];
    const optimizer = createOptimizer(clipped, { a, b }, { groups });
    optimizer.groups[0].learningRate = 1;
    const rows = { a: Uint32Array.of(1, 0), b: Uint32Array.of(0, 1) };
    optimizer.step({ a: Float32Array.of(3, 9), b: Float32Array.of(9, 4) }, { rows });
    const values = [...(await a.read()), ...(await b.read())];
    const expected = [-3 / 5, 0, 0, -4 / 5];
    values.forEach((value, i) => expect(Math.abs(value - expected[i])).toBeLessThan(tolerance));
  });

  test("a rule whose tensors have no gradient takes no part", async () => {
    const backend = await newBackend();
    const [a, b] = [backend.tensor([1]), backend.tensor([1])];
    const optimizer = createOptimizer(clipped, { a, b }, { groups });
    optimizer.step({ a: Float32Array.of(3) });
    expect(await first(a)).toBe(-1);
    expect(await first(b)).toBe(0);
  });

  test("are encoded into one pass, and repeated steps create nothing", async () => {
    const real = await sharedDevice();
    const { device, counts } = countingDevice(real);
    const backend = webgpu({ device });
    const parameters = { a: backend.tensor([300]), b: backend.tensor([20, 30]) };
    const optimizer = createOptimizer(clipped, parameters, { groups });
    const gradients = { a: optimizer.gradient("a"), b: optimizer.gradient("b") };
    for (const gradient of Object.values(gradients))
      gradient.write(new Float32Array(gradient.size).fill(1));
    optimizer.step(gradients);
    optimizer.encode(device.createCommandEncoder(), gradients);
    const created = (): number =>
      Object.entries(counts)
        .filter(([name]) => name.startsWith("create") && name !== "createCommandEncoder")
        .reduce((sum, [, count]) => sum + count, 0);
    const before = created();
    for (let step = 0; step < 3; step += 1) optimizer.step(gradients);
    const encoder = device.createCommandEncoder();
    const counting = countingEncoder(encoder);
    optimizer.encode(counting.encoder, gradients);
    device.queue.submit([encoder.finish()]);
    expect(created()).toBe(before);
    // Per rule: sums, tensors, metric, update. The join over all tensors is shared.
    expect(counting.counts).toEqual({ dispatches: 9, passes: 1 });
    const distance = 5 / Math.sqrt(900);
    expect(Math.abs((await first(parameters.a)) / -distance - 1)).toBeLessThan(64 * 2 ** -24);
    backend.dispose();
  });

  test("rules without a common reduction run one after the other", async () => {
    const backend = await newBackend();
    const [a, b] = [backend.tensor([1]), backend.tensor([1])];
    const optimizer = createOptimizer(
      sgd({ learningRate: 1 }),
      { a, b },
      { groups: [{ match: "b", rule: lion({ learningRate: 0.5 }) }] },
    );
    optimizer.step({ a: Float32Array.of(3), b: Float32Array.of(4) });
    expect([await first(a), await first(b)]).toEqual([-3, -0.5]);
  });
});
