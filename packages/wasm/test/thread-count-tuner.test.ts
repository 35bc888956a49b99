import { afterEach, expect, test, vi } from "vitest";
import { ThreadCountTuner } from "../src/threads/thread-count-tuner.js";

const elements = 100_000;
let now = 0;

afterEach(() => {
  vi.restoreAllMocks();
});

/** Runs batches that take these milliseconds on one thread and on all threads. @returns which ran on all threads */
function run(
  tuner: ThreadCountTuner,
  batches: number,
  single: number,
  parallel: (batch: number) => number,
): boolean[] {
  vi.spyOn(performance, "now").mockImplementation(() => now);
  return Array.from({ length: batches }, (_, batch) => {
    const isParallel = tuner.begin();
    now += isParallel ? parallel(batch) : single;
    tuner.end(isParallel, elements);
    return isParallel;
  });
}

const parallelBatches = (batches: readonly boolean[]): number[] =>
  batches.flatMap((isParallel, batch) => (isParallel ? [batch] : []));

test("batches that are faster on all threads stay there, except one in 64 that measures one thread", () => {
  const batches = run(new ThreadCountTuner(), 300, 1, () => 0.6);
  expect(parallelBatches(batches.slice(0, 10))).toEqual([5, 6, 7, 8, 9]);
  expect(batches.slice(10).filter((isParallel) => !isParallel)).toHaveLength(4);
});

/** How many batches there are between the beginnings of trials. */
function gaps(parallel: readonly number[]): number[] {
  const trials = parallel.filter((batch, i) => i === 0 || batch !== parallel[i - 1] + 1);
  return trials.map((batch, i) => batch - (trials[i - 1] ?? 0));
}

test("batches that are slower are tried five times, and again after pauses that double up to 2048", () => {
  const parallel = parallelBatches(run(new ThreadCountTuner(), 8300, 1, () => 1.5));
  expect(parallel.slice(0, 5)).toEqual([5, 6, 7, 8, 9]);
  expect(gaps(parallel)).toEqual([5, 68, 132, 260, 516, 1028, 2052, 2052, 2052]);
});

test("the pause is short again after a time in which all threads were faster", () => {
  const tuner = new ThreadCountTuner();
  run(tuner, 600, 1, () => 1.5);
  expect(parallelBatches(run(tuner, 600, 1, () => 0.5)).length).toBeGreaterThan(100);
  const parallel = parallelBatches(run(tuner, 400, 1, () => 1.5));
  expect(gaps(parallel).slice(-2)).toEqual([70, 132]);
});

test("batches that are hardly faster stay on one thread", () => {
  expect(parallelBatches(run(new ThreadCountTuner(), 60, 1, () => 0.95))).toEqual([5, 6, 7, 8, 9]);
});

test("a trial ends with the first batch that waits for a busy core", () => {
  const parallel = parallelBatches(run(new ThreadCountTuner(), 400, 1, () => 5));
  expect(parallel).toEqual([5, 69, 197]);
});

test("a trial ends in any of its batches that waits for a busy core", () => {
  const slow = (batch: number): number => (batch === 7 ? 5 : 0.6);
  const parallel = parallelBatches(run(new ThreadCountTuner(), 75, 1, slow));
  expect(parallel).toEqual([5, 6, 7, 71, 72, 73, 74]);
});

test("one thread is measured again, and used when it has become faster", () => {
  const tuner = new ThreadCountTuner();
  expect(run(tuner, 100, 1, () => 0.6).at(-1)).toBe(true);
  const batches = run(tuner, 400, 0.3, () => 0.6);
  // Three of five measurements, one in 64 batches.
  expect(parallelBatches(batches.slice(0, 60)).length).toBeGreaterThan(50);
  expect(parallelBatches(batches.slice(250)).length).toBeLessThan(20);
});

test("the time to wake the workers does not end a trial", () => {
  // A step of 50 µs: 0.13 ms the first time, 30 µs from then on.
  const parallel = parallelBatches(
    run(new ThreadCountTuner(), 40, 0.05, (batch) => (batch === 5 ? 0.13 : 0.03)),
  );
  expect(parallel.slice(0, 5)).toEqual([5, 6, 7, 8, 9]);
  expect(parallel.length).toBeGreaterThan(30);
});

test("batches return to one thread when all threads become slower", () => {
  const tuner = new ThreadCountTuner();
  run(tuner, 100, 1, () => 0.6);
  const parallel = parallelBatches(run(tuner, 400, 1, () => 3));
  // One batch in eight is timed, and three of five have to be slow.
  expect(parallel.length).toBeLessThan(50);
});

test("an interrupted batch changes nothing", () => {
  const tuner = new ThreadCountTuner();
  run(tuner, 100, 1, () => 0.6);
  const batches = run(tuner, 200, 1, (batch) => (batch % 50 === 0 ? 20 : 0.6));
  expect(batches.filter((isParallel) => !isParallel).length).toBeLessThan(6);
});
