import { chain, createOptimizer, defineRule, defineStage, nonNegative } from "@gradstep/core";
import { expect, test } from "vitest";
import { ruleNames } from "../../../testing/rule-names.js";
import { describe, newBackend } from "./gpu.js";

describe("a rule's name", () => {
  test.each(ruleNames)("%s: its shaders compile, alone and in a chain", async (name) => {
    const backend = await newBackend();
    const own = defineRule({
      name,
      hyperparameters: { learningRate: nonNegative(0.5) },
      slots: { m: 0 },
      perElement: "m = m + g\np = p - m * learningRate",
    });
    const twice = defineStage({
      name,
      perStep: "two = 2",
      perElement: "twice = g * two\ng = twice",
    });
    const [a, b] = [backend.tensor([3], [1, 2, 3]), backend.tensor([3], [1, 2, 3])];
    createOptimizer(own(), { a }).step({ a: Float32Array.of(1, -1, 0) });
    createOptimizer(chain(twice(), own()), { b }).step({ b: Float32Array.of(1, -1, 0) });
    await backend.ready();
    expect([...(await a.read())]).toEqual([0.5, 2.5, 3]);
    expect([...(await b.read())]).toEqual([0, 3, 3]);
  });
});
