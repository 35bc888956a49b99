import { expect, test } from "vitest";
import type { RunningContender } from "../src/contenders/contender.js";
import { timeInterleaved } from "../src/timing.js";

const budget = { warmUpNs: 0, turnNs: 0, workloadNs: 0, rounds: [3, 5], allocationNs: 0 } as const;

function recorder(name: string, log: string[]): RunningContender {
  return {
    activate: async () => void log.push(`activate ${name}`),
    step: () => void log.push(name),
    read: async () => [],
    stateBytes: async () => 0,
    dispose: () => {},
  };
}

test("contenders take turns, and each is activated before its own", async () => {
  const log: string[] = [];
  const times = await timeInterleaved([recorder("a", log), recorder("b", log)], budget);
  const round = ["activate a", "a", "activate b", "b"];
  // The first round is the warm-up.
  expect(log).toEqual([round, round, round, round].flat());
  expect(times.map(({ length }) => length)).toEqual([3, 3]);
});

test("asynchronous steps are waited for once per turn", async () => {
  const log: string[] = [];
  const contender = { ...recorder("a", log), waitUntilDone: async () => void log.push("wait") };
  await timeInterleaved([contender], { ...budget, rounds: [1, 1] });
  expect(log).toEqual(["activate a", "a", "wait", "activate a", "a", "wait"]);
});

test("rounds fill the time, up to their limit", async () => {
  const times = await timeInterleaved([recorder("a", [])], { ...budget, workloadNs: 1e12 });
  expect(times[0].length).toBe(5);
});
