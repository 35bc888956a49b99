import { expect, test } from "vitest";
import type { Entrant } from "../src/contenders/contender.js";
import { timeInterleaved } from "../src/timing.js";

const effort = { warmUpNs: 0, turnNs: 0, workloadNs: 0, rounds: [3, 5], watchNs: 0 } as const;

function recorder(name: string, log: string[]): Entrant {
  return {
    enter: async () => void log.push(`enter ${name}`),
    step: () => void log.push(name),
    read: async () => [],
    stateBytes: async () => 0,
    dispose: () => {},
  };
}

test("contenders take turns, and each enters before its own", async () => {
  const log: string[] = [];
  const times = await timeInterleaved([recorder("a", log), recorder("b", log)], effort);
  const round = ["enter a", "a", "enter b", "b"];
  // The first is the warm-up.
  expect(log).toEqual([round, round, round, round].flat());
  expect(times.map(({ length }) => length)).toEqual([3, 3]);
});

test("what is only begun is waited for, once a turn", async () => {
  const log: string[] = [];
  const entrant = { ...recorder("a", log), settle: async () => void log.push("settle") };
  await timeInterleaved([entrant], { ...effort, rounds: [1, 1] });
  expect(log).toEqual(["enter a", "a", "settle", "enter a", "a", "settle"]);
});

test("rounds fill the time, up to their limit", async () => {
  const times = await timeInterleaved([recorder("a", [])], { ...effort, workloadNs: 1e12 });
  expect(times[0].length).toBe(5);
});
