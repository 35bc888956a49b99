import { adam, adamw, lion, sgd } from "@gradstep/core";
import { expect, test } from "vitest";
import { pathDifference } from "../../src/playground/backend-differences.js";
import { nearestStep } from "../../src/playground/draw-paths.js";
import { LatestOnly } from "../../src/playground/latest-only.js";
import { MapProjection } from "../../src/playground/map-projection.js";
import { shortNumber } from "../../src/number-text.js";
import { runnerLabels } from "../../src/playground/runner-label.js";
import {
  newRunner,
  withOwnRule,
  withoutPart,
  withRule,
  withSetting,
  withStage,
} from "../../src/playground/runner-edits.js";
import { formatRunners, parseRunners } from "../../src/playground/runner-text.js";
import { ruleFromText } from "../../src/playground/rule-text.js";
import type { Runner } from "../../src/playground/runner.js";

const runnerOf = (text: string): Runner => parseRunners(text)[0];
const textOf = (runner: Runner): string => formatRunners([runner]);

test("settings change, and are left out where they are the default", () => {
  const runner = newRunner(adam);
  expect(textOf(runner)).toBe("adam(learningRate:0.05)");
  const changed = withSetting(runner, 0, adam, "amsgrad", true);
  expect(textOf(changed)).toBe("adam(learningRate:0.05,amsgrad:true)");
  expect(withSetting(changed, 0, adam, "amsgrad", false)).toEqual(runner);
  expect(textOf(withSetting(runner, 0, adam, "learningRate", 1e-3))).toBe("adam");
});

test("another rule keeps the settings that it has, too", () => {
  const runner = runnerOf("sgd(learningRate:0.1,momentum:0.5,nesterov:true,weightDecay:0.1)@wasm");
  expect(textOf(withRule(runner, 0, adamw))).toBe(
    "adamw(learningRate:0.1,nesterov:true,weightDecay:0.1)@wasm",
  );
  expect(textOf(withRule(runner, 0, lion))).toBe("lion(learningRate:0.1,weightDecay:0.1)@wasm");
  expect(textOf(withRule(runnerOf("sgd(momentum:2)"), 0, sgd))).toBe("sgd(momentum:2)");
});

test("stages stand where their kind belongs", () => {
  let runner = runnerOf("adam");
  for (const stage of ["ema", "clip-by-norm", "trust-ratio", "centralize-gradients"])
    runner = withStage(runner, stage, {});
  expect(textOf(runner)).toBe("clip-by-norm~centralize-gradients~adam~trust-ratio~ema");
  expect(textOf(withoutPart(runner, 0))).toBe("centralize-gradients~adam~trust-ratio~ema");
});

test("an own rule has a free name, the settings as defaults, and keeps schedules", () => {
  const runner = runnerOf(
    "clip-by-norm~adam(beta1:0.5,amsgrad:true,learningRate:linear(from:1,to:0,steps:9))",
  );
  const own = withOwnRule(runner, 1, { "my-adam": "" });
  expect(textOf(own.runner)).toBe(
    "clip-by-norm~my-adam-2(learningRate:linear(from:1,to:0,steps:9))",
  );
  const rule = ruleFromText(own.name, own.text);
  expect(rule.hyperparameters.beta1).toEqual({ default: 0.5, min: 0, below: 1 });
  expect(rule.variant().slots.map(({ name }) => name)).toEqual(["m", "v", "vMax"]);
  expect(withOwnRule(own.runner, 1, { "my-adam-2": own.text }).name).toBe("my-adam");
});

test("labels tell runners of the same rule apart by what differs", () => {
  expect(
    runnerLabels(
      parseRunners(
        "adam(learningRate:0.1,beta1:0);adam(learningRate:0.1);adam(learningRate:0.1,amsgrad:true);clip-by-norm~sgd@webgpu",
      ),
    ),
  ).toEqual(["adam, beta1 0", "adam", "adam, amsgrad", "clip-by-norm + sgd, WebGPU"]);
});

test("paths are compared bit by bit", () => {
  const path = (...points: number[]) => ({
    points: Float32Array.from(points),
    values: new Float64Array(points.length / 2),
    hasDiverged: false,
  });
  expect(pathDifference(path(1, 2, 3, 4), path(1, 2, 3, 4))).toEqual({
    firstStep: undefined,
    largest: 0,
  });
  expect(pathDifference(path(1, 2, 3, 4, 5, 6), path(1, 2, 6, 8, 5, 6))).toEqual({
    firstStep: 1,
    largest: 5,
  });
  expect(pathDifference(path(0, 0), path(-0, 0)).firstStep).toBe(0);
  expect(pathDifference(path(1, 2, 3, 4), path(1, 2)).firstStep).toBe(1);
});

test("places and points of a map", () => {
  const projection = new MapProjection({ xMin: -2, xMax: 2, yMin: -1, yMax: 3 }, 400, 200);
  expect([projection.left(-2), projection.left(1), projection.top(3), projection.top(0)]).toEqual([
    0, 300, 0, 150,
  ]);
  expect(projection.pointAt(300, 150)).toEqual([1, 0]);
  expect(projection.pointAt(-50, 900)).toEqual([-2, -1]);
  // Also of a map that is not laid out yet.
  for (const map of [projection, new MapProjection(projection.extent, 0, 0)])
    expect([map.moved([1, 0], 0.1, -0.1), map.moved([1, 0], -9, 9)]).toEqual([
      [1.4, 0.4],
      [-2, -1],
    ]);
  const path = {
    points: Float32Array.of(-2, 3, 1, 0, 2, -1),
    values: new Float64Array(3),
    hasDiverged: false,
  };
  expect(nearestStep([undefined, path], 2, projection, 303, 148)).toEqual({ path: 1, step: 1 });
  // Not yet shown, too far away, and the end, after which there is no step.
  expect(nearestStep([path], 0, projection, 303, 148)).toBeUndefined();
  expect(nearestStep([path], 2, projection, 200, 100)).toBeUndefined();
  expect(nearestStep([path], 2, projection, 400, 200)).toBeUndefined();
});

test("numbers are short", () => {
  expect(
    [0.1 + 0.2, -1234567, -2.2671e15, 1.5e-9, Infinity, Number.NaN].map((one) => shortNumber(one)),
  ).toEqual(["0.3", "−1235000", "−2.267e15", "1.5e−9", "∞", "NaN"]);
});

test("of tasks with the same key, one runs at a time, and the last one counts", async () => {
  const tasks = new LatestOnly<string>();
  const ran: string[] = [];
  let finish = (): void => {};
  const task = (name: string) => async (): Promise<void> => {
    ran.push(name);
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
  };
  const settle = () => new Promise((resolve) => setTimeout(resolve));
  for (const name of ["first", "second", "third"]) tasks.run("a", task(name));
  expect(ran).toEqual(["first"]);
  finish();
  await settle();
  expect(ran).toEqual(["first", "third"]);
  finish();
  await settle();
  tasks.run("a", task("fourth"));
  expect(ran).toEqual(["first", "third", "fourth"]);
});
