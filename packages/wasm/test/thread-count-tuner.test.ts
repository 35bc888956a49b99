import { afterEach, expect, test, vi } from "vitest";
import { ThreadCountTuner } from "../src/threads/thread-count-tuner.js";

const elements = 100_000;
let now = 0;

afterEach(() => {
  vi.restoreAllMocks();
});

/** Runs batches that take so many milliseconds on one thread and on several; which of them were shared. */
function run(
  tuner: ThreadCountTuner,
  batches: number,
  alone: number,
  several: (batch: number) => number,
): boolean[] {
  vi.spyOn(performance, "now").mockImplementation(() => now);
  return Array.from({ length: batches }, (_, batch) => {
    const isShared = tuner.begin();
    now += isShared ? several(batch) : alone;
    tuner.end(isShared, elements);
    return isShared;
  });
}

const sharedAt = (batches: readonly boolean[]): number[] =>
  batches.flatMap((isShared, batch) => (isShared ? [batch] : []));

test("what is faster on several threads stays there, but for one batch in 64 that says what one takes", () => {
  const batches = run(new ThreadCountTuner(), 300, 1, () => 0.6);
  expect(sharedAt(batches.slice(0, 10))).toEqual([5, 6, 7, 8, 9]);
  expect(batches.slice(10).filter((isShared) => !isShared)).toHaveLength(4);
});

test("what is slower is tried five times, and again after pauses that double", () => {
  const shared = sharedAt(run(new ThreadCountTuner(), 700, 1, () => 1.5));
  expect(shared.slice(0, 5)).toEqual([5, 6, 7, 8, 9]);
  const trials = shared.filter((batch, i) => i === 0 || batch !== shared[i - 1] + 1);
  expect(trials.map((batch, i) => batch - (trials[i - 1] ?? 0))).toEqual([5, 68, 132, 260]);
});

test("what is hardly faster stays on one thread", () => {
  expect(sharedAt(run(new ThreadCountTuner(), 60, 1, () => 0.95))).toEqual([5, 6, 7, 8, 9]);
});

test("a trial ends with the first batch that waits for a worker", () => {
  const shared = sharedAt(run(new ThreadCountTuner(), 400, 1, () => 5));
  expect(shared).toEqual([5, 69, 197]);
});

test("a trial outlives what waking the workers takes", () => {
  // A step of 50 µs: 0.13 ms the first time, 30 µs from then on.
  const shared = sharedAt(
    run(new ThreadCountTuner(), 40, 0.05, (batch) => (batch === 5 ? 0.13 : 0.03)),
  );
  expect(shared.slice(0, 5)).toEqual([5, 6, 7, 8, 9]);
  expect(shared.length).toBeGreaterThan(30);
});

test("several threads are left when they have become slower", () => {
  const tuner = new ThreadCountTuner();
  run(tuner, 100, 1, () => 0.6);
  const shared = sharedAt(run(tuner, 400, 1, () => 3));
  // One batch in eight is timed, and three of five have to be slow.
  expect(shared.length).toBeLessThan(50);
});

test("one batch that was interrupted decides nothing", () => {
  const tuner = new ThreadCountTuner();
  run(tuner, 100, 1, () => 0.6);
  const batches = run(tuner, 200, 1, (batch) => (batch % 50 === 0 ? 20 : 0.6));
  expect(batches.filter((isShared) => !isShared).length).toBeLessThan(6);
});
