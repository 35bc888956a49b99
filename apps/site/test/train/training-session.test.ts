import { encodeCheckpoint, memoryStore } from "@gradstep/checkpoint";
import { decodeSafetensors } from "@gradstep/checkpoint/safetensors";
import { adam, cosineDecay, createOptimizer } from "@gradstep/core";
import { cpuJs } from "@gradstep/cpu-js";
import { pixelsPerDigit } from "@gradstep/digits";
import { gradstepOptimizer, train } from "@gradstep/digits/training";
import "@tensorflow/tfjs-backend-wasm";
import { enableProdMode, getBackend, setBackend } from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { sampled } from "../../../../testing/cases.js";
import { slowTest } from "../../../../testing/slow-test.js";
import { runFile, storeRunFile } from "../../src/train/run-file.js";
import type { RunReport } from "../../src/train/run-report.js";
import { defaultSettings, type RunSettings } from "../../src/train/run-settings.js";
import { TrainingSession } from "../../src/train/training-session.js";
import { fewDigits } from "../few-digits.js";

const digits = fewDigits();
const plain = (steps: number) => {
  const { schedule, options } = cosineDecay(0.003, steps, { alpha: 0.02 });
  return { schedule, options };
};
/** 20 batches. */
const settings: RunSettings = {
  ...defaultSettings,
  rule: { learningRate: plain(20), beta1: 0.8 },
  epochs: 2,
  batchSize: 40,
};

beforeAll(async () => {
  enableProdMode();
  await setBackend("wasm");
});

/** A session that remembers its reports, and whose pauses can be awaited. */
function session(given: Partial<RunSettings> = {}, store = memoryStore()) {
  const reports: RunReport[] = [];
  const pauses: string[] = [];
  let paused: ((digest: string) => void) | undefined;
  const one = new TrainingSession({
    settings: { ...settings, ...given },
    digits,
    store,
    saveEvery: 4,
    reportEvery: 0,
    listener: {
      onReport: (report) => reports.push(report),
      onPause(digest) {
        pauses.push(digest);
        paused?.(digest);
      },
    },
  });
  return {
    session: one,
    store,
    reports,
    /** Resolves with the digest of the weights at the next pause. */
    nextPause: () => new Promise<string>((resolve) => (paused = resolve)),
    losses: () =>
      reports.flatMap(({ firstBatch, losses }) => {
        expect(firstBatch).toBe(
          reports
            .slice(
              0,
              reports.findIndex((r) => r.losses === losses),
            )
            .reduce((sum, r) => sum + r.losses.length, 0),
        );
        return [...losses];
      }),
  };
}

describe("a run", () => {
  test("is tested on wasm", () => {
    expect(getBackend()).toBe("wasm");
  });

  test("has the losses of the terminal's training with the same settings, bit for bit", async () => {
    const { session: one, losses } = session();
    const result = await one.run();
    const { rule: _, ...rest } = settings;
    const optimizer = gradstepOptimizer(
      { ...rest, ruleSettings: { beta1: 0.8 }, accumulate: 1 },
      cosineDecay(0.003, 20, { alpha: 0.02 }),
    );
    const run = await train({ optimizer, digits, settings });
    expect(losses()).toEqual(run.batchLosses);
    expect(result.accuracy).toBe(run.evaluation.accuracy);
    expect(result.loss).toBe(run.evaluation.loss);
    expect(result).not.toHaveProperty("failure");
  });

  const continuedRuns = [
    ["muon", { ema: 0.9, clip: 1 }],
    ["adam", {}],
    ["schedule-free-adamw", {}],
  ] as const;
  test.each(sampled(continuedRuns, 1))(
    "of %s that was abandoned in the middle of an epoch and continued has the bits of one that was not",
    async (optimizer, more) => {
      const given = { optimizer, ...more };
      const straight = session({ ...given, rule: { learningRate: plain(20) } });
      const { digest } = await straight.session.run();

      const abandoned = session({ ...given, rule: { learningRate: plain(20) } });
      const pause = abandoned.nextPause();
      void abandoned.session.run(13);
      await pause;
      const continued = session({ ...given, rule: { learningRate: plain(20) } }, abandoned.store);
      const result = await continued.session.run();
      expect(result.digest).toBe(digest);
      expect(continued.losses()).toEqual(straight.losses());
      expect(continued.reports[0].losses).toHaveLength(13);
    },
  );

  test("that is paused before it has been resumed waits before its first batch", async () => {
    const { session: one, nextPause, losses } = session();
    const pause = nextPause();
    void one.run();
    one.pause();
    await pause;
    expect(losses()).toEqual([]);
    const next = nextPause();
    one.continue(1);
    await next;
    expect(losses()).toHaveLength(1);
  });

  slowTest(
    "that was downloaded as a file, and loaded into another store, has the bits of one that was not",
    async () => {
      const straight = session();
      const { digest } = await straight.session.run();
      const paused = session();
      const pause = paused.nextPause();
      void paused.session.run(13);
      await pause;
      const file = await runFile(paused.store, { name: "Adam, half", settings });
      // Any reader of safetensors can take the weights out of it.
      const { tensors } = await decodeSafetensors(file!);
      expect([...tensors.keys()].filter((key) => key.startsWith("parameters/"))).toHaveLength(6);

      const store = memoryStore();
      const loaded = await storeRunFile(file!, store);
      expect(loaded).toEqual({ name: "Adam, half", settings });
      const continued = session(loaded.settings, store);
      expect((await continued.session.run()).digest).toBe(digest);
      expect(continued.losses()).toEqual(straight.losses());
    },
  );

  test("has no file before it was saved, and no other file is taken for one", async () => {
    const store = memoryStore();
    expect(await runFile(store, { name: "Adam", settings })).toBeUndefined();
    const parts: Uint8Array[] = [];
    const optimizer = createOptimizer(adam(), { p: cpuJs().tensor([1]) });
    const checkpoint = { parameters: {}, optimizer: await optimizer.state(), others: {} };
    for await (const chunk of encodeCheckpoint(checkpoint)) parts.push(chunk);
    await expect(storeRunFile(Buffer.concat(parts), store)).rejects.toThrow(/another program/);
    await expect(storeRunFile(new Uint8Array(100), store)).rejects.toMatchObject({
      code: "INVALID_FILE",
    });
    expect(await store.list()).toEqual([]);
  });

  slowTest(
    "whose hyperparameters were changed on the way continues with them, and with the same bits",
    async () => {
      const warm = { schedule: "linear", options: { from: 0.01, to: 0.001, steps: 20 } };
      const changeAndRun = async (one: ReturnType<typeof session>, stops: boolean) => {
        const first = one.nextPause();
        const end = one.session.run(5);
        await first;
        one.session.setHyperparameter("learningRate", 0.001);
        one.session.setHyperparameter("beta2", 0.9);
        one.session.setHyperparameter("beta2", 0.99);
        const second = one.nextPause();
        one.session.continue(4);
        await second;
        one.session.setHyperparameter("learningRate", warm);
        const third = one.nextPause();
        one.session.continue(3);
        const digest = await third;
        if (stops) return digest;
        one.session.continue();
        return (await end).digest;
      };
      const straight = session();
      const digest = await changeAndRun(straight, false);
      const abandoned = session();
      await changeAndRun(abandoned, true);
      const continued = session({}, abandoned.store);
      expect((await continued.session.run()).digest).toBe(digest);
      expect(continued.losses()).toEqual(straight.losses());
      const changes = continued.reports.at(-1)!.changes;
      expect(changes).toEqual([
        { batch: 5, name: "learningRate", value: 0.001 },
        { batch: 5, name: "beta2", value: 0.99 },
        { batch: 9, name: "learningRate", value: warm },
      ]);
      const rates = continued.reports.flatMap(({ learningRates }) => [...learningRates]);
      expect(rates.slice(5, 9)).toEqual([0.001, 0.001, 0.001, 0.001]);
      expect(rates[9]).toBeCloseTo(0.01 - (0.009 * 9) / 20, 12);
      // The same settings without the changes end elsewhere.
      expect((await session().session.run()).digest).not.toBe(digest);

      // With the changes as a plan, they end there, too: also if the run is abandoned just before a change.
      const planned = session({ changes });
      expect((await planned.session.run()).digest).toBe(digest);
      expect(planned.reports.at(-1)!.changes).toEqual(changes);
      const halted = session({ changes });
      const halt = halted.nextPause();
      void halted.session.run(9);
      await halt;
      expect((await session({ changes }, halted.store).session.run()).digest).toBe(digest);
    },
  );

  slowTest("goes another way than planned where the visitor changes the same", async () => {
    const changes = [
      { batch: 3, name: "beta1", value: 0.1 },
      { batch: 6, name: "beta1", value: 0.2 },
    ];
    const one = session({ changes });
    const pause = one.nextPause();
    void one.session.run(6);
    await pause;
    one.session.setHyperparameter("beta1", 0.7);
    await one.session.save();
    const continued = session({ changes }, one.store);
    await continued.session.run();
    expect(continued.reports.at(-1)!.changes).toEqual([
      { batch: 3, name: "beta1", value: 0.1 },
      { batch: 6, name: "beta1", value: 0.7 },
    ]);
  });

  slowTest("that finished is not trained again", async () => {
    const one = session();
    const result = await one.session.run();
    const ids = await one.store.list();
    const again = session({}, one.store);
    expect(await again.session.run()).toEqual(result);
    expect(again.losses()).toEqual(one.losses());
    expect(await one.store.list()).toEqual(ids);
  });

  slowTest("refuses a hyperparameter out of its range, and goes on as before", async () => {
    const one = session();
    const pause = one.nextPause();
    void one.session.run(2);
    await pause;
    expect(() => one.session.setHyperparameter("beta1", 1.5)).toThrow(/beta1/);
    const second = one.nextPause();
    one.session.continue(1);
    await second;
    expect(one.reports.at(-1)!.changes).toEqual([]);
  });

  test("that diverges says why", async () => {
    const result = await session({ optimizer: "sgd", rule: { learningRate: 1e20 } }).session.run();
    expect(result.failure).toMatch(/^The training diverged: the .*loss.* is NaN\.$/);
  });

  slowTest("recognises digits while it is paused, and when it is finished", async () => {
    const { session: one, nextPause } = session({ epochs: 6, rule: { learningRate: 0.003 } });
    const pause = nextPause();
    const end = one.run(30);
    await pause;
    const accuracy = async () => {
      let correct = 0;
      for (let index = 0; index < 20; index += 1) {
        const at = index * 5;
        const pixels = digits.heldOut.pixels.slice(at * pixelsPerDigit, (at + 1) * pixelsPerDigit);
        const probabilities = await one.recognise(pixels);
        expect(probabilities).toHaveLength(10);
        expect(probabilities.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 5);
        if (probabilities.indexOf(Math.max(...probabilities)) === digits.heldOut.labels[at])
          correct += 1;
      }
      return correct;
    };
    expect(await accuracy()).toBeGreaterThan(10);
    one.continue();
    await end;
    expect(await accuracy()).toBeGreaterThan(12);
  });
});
