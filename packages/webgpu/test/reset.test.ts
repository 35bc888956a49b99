import { adam, chain, createOptimizer, ema } from "@gradstep/core";
import { expect, test } from "vitest";
import { bufferOf, describe, newBackend } from "./gpu.js";
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
});
