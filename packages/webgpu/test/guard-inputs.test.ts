// A guard that decides on the device looks at the gradients and signals of the step, whatever those of the last one were.
import { createOptimizer, sgd } from "@gradstep/core";
import { expect, test } from "vitest";
import { describe, newBackend } from "./gpu.js";

describe("a step that a guard decides on", () => {
  test("is skipped because of its own gradient or scale, in other memory than those before", async () => {
    const backend = await newBackend();
    const w = backend.tensor([2]);
    const optimizer = createOptimizer(sgd({ learningRate: 1 }), { w }, { nonFinite: "skip" });
    const [finite, infinite] = [backend.tensor([2], [1, 2]), backend.tensor([2], [1, Infinity])];
    const [one, tooLarge] = [backend.tensor([], [1]), backend.tensor([], [Infinity])];
    const values = async (): Promise<readonly number[]> => [...(await w.read())];
    optimizer.step({ w: finite });
    optimizer.step({ w: infinite });
    expect(await values()).toEqual([-1, -2]);
    optimizer.step({ w: finite }, { scale: one });
    optimizer.step({ w: finite }, { scale: tooLarge });
    expect(await values()).toEqual([-2, -4]);
    optimizer.step({ w: finite }, { scale: one });
    expect(await values()).toEqual([-3, -6]);
    expect((await optimizer.state()).iterations).toBe(3);
    await backend.ready();
  });
});
