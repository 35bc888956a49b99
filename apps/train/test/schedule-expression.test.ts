import { cosineDecay, joinSchedules, linear, piecewiseConstant, warmup } from "@gradstep/core";
import * as core from "@gradstep/core";
import { describe, expect, test } from "vitest";
import { OptionsError } from "../src/options.mjs";
import { scheduleNames, scheduleOf } from "../src/training/schedule-expression.js";

const names = { learningRate: 0.003, steps: 1000 };

describe("a schedule as text", () => {
  test.each([
    ["cosineDecay(3e-4, 1000, { alpha: 0.02 })", cosineDecay(3e-4, 1000, { alpha: 0.02 })],
    ["warmup(50, cosineDecay(learningRate, steps - 50))", warmup(50, cosineDecay(0.003, 950))],
    [" linear ( 0.1 , -0 , steps / 2 * (1 + 1) ) ", linear(0.1, -0, 1000)],
    ["piecewiseConstant([10, 20], [1, 0.1, 0.01])", piecewiseConstant([10, 20], [1, 0.1, 0.01])],
    ["joinSchedules([linear(0, 1, 9), 9], 0.5)", joinSchedules([linear(0, 1, 9), 9], 0.5)],
    ["learningRate / 2", core.constant(0.0015)],
  ])("%s is what it is in code", (text, schedule) => {
    expect(scheduleOf(text, names)).toEqual(schedule);
    expect(scheduleOf(text, names).valueAt(7)).toBe(schedule.valueAt(7));
  });

  test.each([
    ["", "expected a schedule as it is written in JavaScript, such as"],
    ["warmup(50", "expected a schedule as it is written in JavaScript, such as"],
    ["warmup(50, 1) 2", "expected a schedule as it is written in JavaScript, such as"],
    ["cosine", "expected learningRate, steps or a call of a schedule instead of cosine."],
    ["toString()", "expected one of constant, cosineDecay, "],
    [
      "import('fs')",
      "expected calls of schedules, numbers, lists and objects instead of import('fs')",
    ],
    ["(() => 1)()", "expected one of constant, "],
    ["'1'", "expected a schedule, such as"],
    ["steps - 'a'", "expected a number instead of 'a'"],
    ["linear(...[1, 2, 3])", "instead of ...[1, 2, 3]"],
    ["linear(1, 2, 0)", "linear: steps is 0; expected a positive integer"],
  ])("%s is rejected in one line", (text, message) => {
    expect(() => scheduleOf(text, names)).toThrow(OptionsError);
    expect(() => scheduleOf(text, names)).toThrow(`Got --schedule "${text}"`);
    expect(() => scheduleOf(text, names)).toThrow(message);
  });

  test("can call each schedule that core exports", () => {
    const exported = Object.entries(core).flatMap(([name, value]) =>
      typeof value === "function" && /\(\w+Kind\b|[A-Za-z]+Kind\(/.test(String(value))
        ? [name]
        : [],
    );
    expect([...scheduleNames].sort()).toEqual(exported.sort());
  });
});
