import { adam, chain, createOptimizer, ema, type GradstepError } from "@gradstep/core";
import { webgpu } from "@gradstep/webgpu";
import { expect, test } from "vitest";
import { countingDevice, countingEncoder } from "./counting-device.js";
import { bufferOf, describe, newBackend, sharedDevice } from "./gpu.js";
import { Random } from "./random.js";

const rows = 40;
const columns = 6;

/** Each even row is marked, in a buffer. */
async function start() {
  const backend = await newBackend();
  const random = new Random(5);
  const w = backend.tensor([rows, columns], random.values(rows * columns));
  const optimizer = createOptimizer(chain(adam(), ema(0.5)), { w });
  optimizer.gradient("w").write(random.values(rows * columns));
  const marks = Uint32Array.from({ length: rows }, (_, i) => 1 - (i % 2));
  const buffer = bufferOf(backend.device, new Float32Array(marks.buffer));
  return { backend, w, optimizer, marked: backend.wrap(buffer, { dtype: "u32" }) };
}

describe("reset", () => {
  test("takes rows that are in a buffer", async () => {
    const { optimizer, marked, w } = await start();
    const gradients = { w: optimizer.gradient("w") };
    optimizer.step(gradients);
    const before = (await optimizer.state()).slots.w;
    optimizer.reset("w", { rows: marked, columns: [2, 4] });
    const p = await w.read();
    const after = (await optimizer.state()).slots.w;
    for (const [name, values] of Object.entries(before)) {
      const expected = values.map((value, i) => {
        const isReset = Math.floor(i / columns) % 2 === 0 && [2, 3].includes(i % columns);
        if (!isReset) return value;
        return name === "ema" ? p[i] : 0;
      });
      expect(after[name]).toEqual(expected);
    }
  });

  test("comes between the steps that were submitted before it and those encoded after it", async () => {
    const run = async (settle: () => Promise<unknown>) => {
      const { backend, optimizer, w, marked } = await start();
      const gradients = { w: optimizer.gradient("w") };
      const encoder = backend.device.createCommandEncoder();
      optimizer.encode(encoder, gradients);
      backend.device.queue.submit([encoder.finish()]);
      optimizer.step(gradients);
      await settle();
      optimizer.reset("w", { rows: marked });
      const next = backend.device.createCommandEncoder();
      optimizer.encode(next, gradients);
      await settle();
      backend.device.queue.submit([next.finish()]);
      await settle();
      return { values: await w.read(), state: await optimizer.state() };
    };
    const wait = async () => (await newBackend()).ready();
    expect(await run(async () => {})).toEqual(await run(wait));
  });

  test("a reset is one submit and one dispatch, and a repeated one prepares nothing", async () => {
    const { device, counts } = countingDevice(await sharedDevice());
    const backend = webgpu({ device });
    const shapes = { means: [100, 3], scales: [100, 3], opacities: [100] };
    const parameters = Object.fromEntries(
      Object.entries(shapes).map(([name, shape]) => [name, backend.tensor(shape)]),
    );
    const optimizer = createOptimizer(adam(), parameters);
    const resetCounts = (): Record<string, number> => {
      const before = { ...counts };
      optimizer.reset("opacities");
      const names = ["submit", "createBuffer", "createBindGroup"];
      return Object.fromEntries(names.map((key) => [key, (counts[key] ?? 0) - (before[key] ?? 0)]));
    };
    expect(resetCounts()).toMatchObject({ submit: 1, createBindGroup: 1 });
    expect(resetCounts()).toEqual({ submit: 1, createBuffer: 0, createBindGroup: 0 });
    backend.dispose();
  });

  test("recorded between two steps in one encoder, it is one dispatch and equals a reset", async () => {
    const dispatches: number[] = [];
    const run = async (isEncoded: boolean) => {
      const { backend, w, optimizer, marked } = await start();
      const gradients = { w: optimizer.gradient("w") };
      const options = { rows: marked, columns: [2, 4] as const };
      if (isEncoded) {
        const real = backend.device.createCommandEncoder();
        const { encoder, counts } = countingEncoder(real);
        optimizer.encode(encoder, gradients);
        const before = counts.dispatches;
        optimizer.encodeReset(encoder, "w", options);
        optimizer.encodeReset(encoder, "w", { columns: [0, 1] });
        dispatches.push(counts.dispatches - before);
        optimizer.encode(encoder, gradients);
        backend.device.queue.submit([real.finish()]);
      } else {
        optimizer.step(gradients);
        optimizer.reset("w", options);
        optimizer.reset("w", { columns: [0, 1] });
        optimizer.step(gradients);
      }
      return { values: await w.read(), slots: (await optimizer.state()).slots };
    };
    expect(await run(true)).toEqual(await run(false));
    expect(dispatches).toEqual([2]);
  });

  test("recorded into a compute pass, nothing is submitted and nothing happens until the caller submits", async () => {
    const { device, counts } = countingDevice(await sharedDevice());
    const backend = webgpu({ device });
    const w = backend.tensor([4, 2], [1, 2, 3, 4, 5, 6, 7, 8]);
    const optimizer = createOptimizer(adam(), { w });
    optimizer.step({ w: new Float32Array(8).fill(1) });
    const { m } = (await optimizer.state()).slots.w;
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    const before = counts.submit;
    optimizer.encodeReset(pass, "w", { columns: [1, 2] });
    expect(counts.submit).toBe(before);
    pass.end();
    expect((await optimizer.state()).slots.w.m).toEqual(m);
    device.queue.submit([encoder.finish()]);
    const after = (await optimizer.state()).slots.w.m;
    expect([...after]).toEqual([...m].map((value, i) => (i % 2 === 1 ? 0 : value)));
    const code = (target: object): unknown => {
      try {
        return optimizer.encodeReset(target as GPUCommandEncoder);
      } catch (error) {
        return (error as GradstepError).code;
      }
    };
    expect(code({})).toBe("UNSUPPORTED");
    await backend.ready();
    backend.dispose();
  });
});
