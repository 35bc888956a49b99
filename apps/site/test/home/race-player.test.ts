import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { RacePlayer } from "../../src/home/race-player.js";

let time = 0;
let frames = new Map<number, (now: number) => void>();
let lastFrame = 0;

beforeEach(() => {
  time = 0;
  frames = new Map();
  vi.stubGlobal("requestAnimationFrame", (callback: (now: number) => void) => {
    lastFrame += 1;
    frames.set(lastFrame, callback);
    return lastFrame;
  });
  vi.stubGlobal("cancelAnimationFrame", (frame: number) => frames.delete(frame));
});
afterEach(() => vi.unstubAllGlobals());

/** Lets that many frames come, a tenth of a second apart. */
function pass(count: number): void {
  for (let i = 0; i < count; i += 1) {
    time += 100;
    const [next] = frames;
    if (next === undefined) return;
    frames.delete(next[0]);
    next[1](time);
  }
}

function newPlayer(isPaused: boolean) {
  const shown: number[] = [];
  let ends = 0;
  const player = new RacePlayer(100, isPaused, {
    onSteps: (steps) => void shown.push(steps),
    onEnd: () => {
      ends += 1;
    },
  });
  return { player, shown, ends: () => ends };
}

test("a race takes five seconds in sight, rests for three, and ends once", () => {
  const { player, shown, ends } = newPlayer(false);
  player.restart();
  expect([frames.size, shown]).toEqual([0, [0]]);
  player.isInSight = true;
  // The first frame tells the time.
  pass(26);
  expect(shown.at(-1)).toBeCloseTo(50);
  player.isInSight = false;
  expect(frames.size).toBe(0);
  player.isInSight = true;
  pass(27);
  expect(shown.at(-1)).toBe(100);
  const { length } = shown;
  pass(28);
  expect([shown.length, ends()]).toEqual([length, 0]);
  pass(10);
  expect([ends(), frames.size]).toEqual([1, 0]);
  player.restart();
  expect([shown.at(-1), frames.size]).toEqual([0, 1]);
  player.dispose();
  expect(frames.size).toBe(0);
});

test("a paused race is shown whole, and played from its start", () => {
  const { player, shown } = newPlayer(true);
  player.isInSight = true;
  player.restart();
  expect([shown, frames.size]).toEqual([[100], 0]);
  player.isPaused = false;
  pass(11);
  expect(shown.at(-1)).toBeCloseTo(20);
  player.isPaused = true;
  expect([frames.size, player.shownSteps]).toEqual([0, 20]);
});
