import { expect, test } from "vitest";
import { Frames } from "../../src/splats/frames.js";

/** Frames that come when the test says so. */
function newFrames() {
  let time = 0;
  let callback: (() => void) | undefined;
  const frames = new Frames({
    now: () => time,
    request: (next) => {
      callback = next;
    },
  });
  const pass = (milliseconds: number): void => {
    time += milliseconds;
  };
  /** A frame that is asked for, and comes after that time. */
  const frame = (milliseconds: number): void => {
    frames.ask();
    pass(milliseconds);
    callback!();
  };
  return { frames, pass, frame, come: () => callback!() };
}

test("batches become shorter while frames are late, and long again", () => {
  const { frames, frame } = newFrames();
  expect(frames.batchMilliseconds).toBe(30);
  frame(50);
  expect(frames.batchMilliseconds).toBe(30);
  frame(51);
  expect(frames.batchMilliseconds).toBe(15);
  for (let i = 0; i < 5; i += 1) frame(100);
  expect(frames.batchMilliseconds).toBe(4);
  frame(16);
  expect(frames.batchMilliseconds).toBe(5);
  for (let i = 0; i < 20; i += 1) frame(16);
  expect(frames.batchMilliseconds).toBe(30);
});

test("a frame is late after 50 ms, until it comes", async () => {
  const { frames, pass, come } = newFrames();
  expect([frames.canShow, frames.isLate]).toEqual([true, false]);
  frames.ask();
  pass(50);
  expect([frames.canShow, frames.isLate]).toEqual([false, false]);
  pass(1);
  expect(frames.isLate).toBe(true);
  const waiting = frames.wait();
  come();
  await waiting;
  expect([frames.canShow, frames.isLate]).toEqual([true, false]);
});

test("frames that never come are awaited once", async () => {
  const { frames, pass, come, frame } = newFrames();
  frames.ask();
  pass(1000);
  await frames.wait();
  expect([frames.canShow, frames.isLate]).toEqual([false, false]);
  come();
  frames.ask();
  pass(51);
  expect(frames.isLate).toBe(true);
  frame(1);
});
