import { wasm } from "@gradstep/wasm";
import { expect, test } from "vitest";
import { slowTest } from "../../../../testing/slow-test.js";
import { CpuTrainer } from "../../src/splats/cpu/trainer.js";
import type { Engine } from "../../src/splats/engine.js";
import { Fitting, type Progress } from "../../src/splats/fitting.js";
import { defaultRates } from "../../src/splats/training-settings.js";

const settings = { steps: 60, size: 32, capacity: 60, rates: defaultRates };

/** A fitting whose pictures are only counted. Its trainings fail at the step that is called `failure.step`. */
function newFitting(failure: { step: number } = { step: Infinity }) {
  const backend = wasm();
  const drawn: boolean[] = [];
  const progress: Progress[] = [];
  const failures: string[] = [];
  const engine: Engine = {
    start: (picture, given) => {
      const trainer = new CpuTrainer(backend, picture, given);
      const run = trainer.run.bind(trainer);
      trainer.run = (steps) => {
        if (trainer.step + steps > failure.step) throw new Error("The GPU device was lost.");
        run(steps);
      };
      return { trainer, view: { draw: (ellipses) => void drawn.push(ellipses) } };
    },
    ready: () => new Promise((resolve) => void setTimeout(resolve)),
    idle: async () => {},
    onFailure: (message) => void failures.push(message),
    dispose: () => {},
  };
  const fitting = new Fitting(engine, (one) => void progress.push(one));
  const finished = async (): Promise<Progress> => {
    while (progress.at(-1)?.step !== settings.steps)
      await new Promise((resolve) => void setTimeout(resolve, 5));
    return progress.at(-1)!;
  };
  return { fitting, drawn, progress, failures, finished };
}

test("a training runs to its last step, and reports it", async () => {
  const { fitting, drawn, progress, finished } = newFitting();
  await fitting.start("landscape", settings);
  expect(progress).toMatchObject([{ step: 0, steps: 60, isRunning: false }]);
  expect(progress[0].report.psnr).toHaveLength(1);
  expect(drawn).toEqual([false]);
  fitting.play();
  fitting.play();
  const last = await finished();
  expect(last).toMatchObject({ step: 60, isRunning: false });
  expect(last.report.psnr).toHaveLength(7);
  expect(last.report.psnr.at(-1)! - last.report.psnr[0]).toBeGreaterThan(5);
  expect(drawn.length).toBeGreaterThan(1);
});

test("a pause ends after a batch; single steps follow", async () => {
  const { fitting, progress } = newFitting();
  await fitting.start("landscape", settings);
  fitting.play();
  await fitting.pause();
  const { step, isRunning } = progress.at(-1)!;
  expect([step > 0, step < 60, isRunning]).toEqual([true, true, false]);
  await fitting.step();
  expect(progress.at(-1)!.step).toBe(step + 1);
});

slowTest("paused and stepped, a training reports what one that ran through does", async () => {
  const one = newFitting();
  await one.fitting.start("landscape", settings);
  one.fitting.play();
  const through = await one.finished();

  const other = newFitting();
  await other.fitting.start("landscape", settings);
  for (let i = 0; i < 7; i += 1) await other.fitting.step();
  other.fitting.play();
  await other.fitting.pause();
  other.fitting.play();
  expect((await other.finished()).report).toEqual(through.report);
});

test("a start in the middle of a training begins at step 0", async () => {
  const { fitting, drawn, progress } = newFitting();
  await fitting.start("landscape", settings);
  fitting.setEllipses(true);
  expect(drawn.at(-1)).toBe(true);
  fitting.play();
  await fitting.start("landscape", settings);
  expect(progress.at(-1)).toMatchObject({ step: 0, isRunning: false });
  expect(progress.at(-1)!.report).toEqual(progress[0].report);
  expect(drawn.at(-1)).toBe(true);
});

test("a training that fails says so, and another one can be started", async () => {
  const failure = { step: 10 };
  const { fitting, progress, failures, finished } = newFitting(failure);
  await fitting.start("landscape", settings);
  fitting.play();
  while (failures.length === 0) await new Promise((resolve) => void setTimeout(resolve, 5));
  expect(failures).toEqual(["The GPU device was lost."]);
  failure.step = Infinity;
  await fitting.start("landscape", settings);
  expect(progress.at(-1)).toMatchObject({ step: 0, isRunning: false });
  fitting.play();
  expect(await finished()).toMatchObject({ step: 60, isRunning: false });
});
