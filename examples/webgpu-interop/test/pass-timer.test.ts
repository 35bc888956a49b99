import { createOptimizer } from "@gradstep/core";
import { expect, test } from "vitest";
import { PassTimer } from "../src/pass-timer.js";
import { rule } from "./fit.js";
import { backendWith, describe } from "./gpu.js";

describe("a compute pass with timestamps", () => {
  test("steps are recorded into it, and it is timed", async () => {
    const backend = await backendWith(["timestamp-query"]);
    const { device } = backend;
    const timer = new PassTimer(device);
    const w = backend.tensor([1000]);
    const optimizer = createOptimizer(rule, { w });
    const gradient = optimizer.gradient("w");
    gradient.write(new Float32Array(1000).fill(1));
    let before = 0n;
    for (let step = 1; step <= 3; step += 1) {
      const encoder = device.createCommandEncoder();
      timer.record(encoder, (pass) => optimizer.encode(pass, { w: gradient }));
      device.queue.submit([encoder.finish()]);
      const { start, end } = await timer.read();
      expect(start).toBeGreaterThanOrEqual(before);
      // A driver may round its clock, so that a short pass ends when it starts.
      expect(end).toBeGreaterThanOrEqual(start);
      before = end;
      // With equal gradients, each step of Adam is the learning rate.
      expect((await w.read())[999]).toBeCloseTo(-0.1 * step, 5);
    }
    await backend.ready();
    timer.destroy();
    device.destroy();
  });
});
