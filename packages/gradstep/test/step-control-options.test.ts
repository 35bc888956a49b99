import { adam, type OptimizerOptions } from "gradstep";
import { optimizerByName } from "gradstep/by-name";
import { reference } from "@gradstep/core/reference";
import { describe, expect, test } from "vitest";
import { randomOf } from "./random.js";
import { randomArrays, start } from "./step-control-runs.js";

describe("options", () => {
  test("are part of the configuration", () => {
    const options: OptimizerOptions = { accumulate: 4, lossScale: "dynamic" };
    const { optimizer } = start(reference(), adam(), randomArrays(randomOf(1)), options);
    const config = JSON.parse(JSON.stringify(optimizer.config()));
    expect(config).toMatchObject({
      accumulate: 4,
      lossScale: { initial: 32_768, growthInterval: 2000, growthFactor: 2, backoffFactor: 0.5 },
    });
    const again = start(reference(), optimizerByName(config), randomArrays(randomOf(1)));
    expect(again.optimizer.config()).toEqual(optimizer.config());
    expect(start(reference(), adam(), randomArrays(randomOf(1))).optimizer.config()).toEqual({
      name: "adam",
      settings: expect.anything(),
      groups: [],
    });
  });

  test.each<readonly [string, object, string]>([
    ["accumulate", { accumulate: 0 }, "a positive integer"],
    ["accumulate", { accumulate: 1.5 }, "a positive integer"],
    ["accumulate", { accumulate: "2" }, "a positive integer"],
    ["nonFinite", { nonFinite: "ignore" }, "propagate"],
    ["schedulesCount", { schedulesCount: "epochs" }, "steps"],
    ["lossScale", { lossScale: 0 }, "a positive number"],
    ["lossScale", { lossScale: Number.NaN }, "a positive number"],
    ["lossScale", { lossScale: 1e300 }, "that f32 can hold"],
    ["lossScale", { lossScale: null }, "dynamic"],
    ["lossScale", { lossScale: { initial: -1 } }, "a positive number"],
    ["lossScale", { lossScale: { growthInterval: 0 } }, "a positive integer"],
    ["lossScale", { lossScale: { growthFactor: 0.5 } }, "from 1 on"],
    ["lossScale", { lossScale: { backoffFactor: 2 } }, "up to 1"],
    ["lossScale", { lossScale: { growth: 2 } }, "growthInterval"],
    ["nonFinite", { nonFinite: "throw", lossScale: "dynamic" }, "leave nonFinite out"],
  ])("%s is checked: %o", (name, options, expected) => {
    const make = () => start(reference(), adam(), randomArrays(randomOf(1)), options);
    expect(make).toThrow(name);
    expect(make).toThrow(expected);
  });
});
