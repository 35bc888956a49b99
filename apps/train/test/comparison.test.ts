import { optimizers } from "@gradstep/digits/optimizers";
import { TurnQueue } from "@gradstep/digits/training";
import { beforeAll, describe, expect, test } from "vitest";
import { slowTest } from "../../../testing/slow-test.js";
import { useBackend } from "../src/backend.js";
import { compare } from "../src/comparison/compare.js";
import { digits, settings, trainWith } from "./few-digits.js";

beforeAll(() => useBackend("wasm"));

describe("a comparison", () => {
  const once = { ...settings, epochs: 1 };

  slowTest(
    "lets gradstep's Adam and TF.js's take turns on every backend, batch by batch",
    async () => {
      const batches: string[] = [];
      const { backends } = await compare({ digits, options: once, chosen: "wasm" }, (backend) => ({
        gradstep: { onBatch: ({ batch }) => batches.push(`gradstep on ${backend}: ${batch}`) },
        "TF.js": { onBatch: ({ batch }) => batches.push(`TF.js on ${backend}: ${batch}`) },
      }));
      expect(batches).toEqual(
        ["wasm", "cpu-js"].flatMap((backend) =>
          Array.from({ length: 10 }, (_, batch) => [
            `gradstep on ${backend}: ${batch + 1}`,
            `TF.js on ${backend}: ${batch + 1}`,
          ]).flat(),
        ),
      );
      expect(backends.map(({ backend }) => backend)).toEqual(["wasm", "cpu-js"]);
      for (const { speedup, lossDifference, runs } of backends) {
        expect(speedup).toBeGreaterThan(0);
        expect(lossDifference).toBeLessThan(1e-4);
        expect(runs["TF.js"].batchLosses).toHaveLength(10);
      }
      const [onWasm, onCpu] = backends.map(({ runs }) => runs.gradstep.batchLosses);
      onWasm.forEach((loss, batch) => expect(Math.abs(loss - onCpu[batch])).toBeLessThan(1e-4));
      await useBackend("wasm");
    },
  );

  slowTest("has the losses of a training without it", async () => {
    const { learningRate } = optimizers.adam;
    const both = { ...once, learningRate };
    const observers = { gradstep: {}, "TF.js": {} };
    const stop = new AbortController();
    const { backends } = await compare(
      { digits, options: both, chosen: "wasm", signal: stop.signal },
      () => {
        return { ...observers, "TF.js": { onEpoch: () => stop.abort() } };
      },
    );
    const alone = await trainWith(both);
    expect(backends).toHaveLength(1);
    expect(backends[0].runs.gradstep.batchLosses).toEqual(alone.batchLosses);
    expect(backends[0].runs.gradstep.evaluation).toEqual(alone.evaluation);
    await useBackend("wasm");
  });

  test.each([
    ["gradstep", 3],
    ["TF.js", 4],
  ] as const)(
    "stops after the same number of batches if the signal aborts in a turn of %s, and starts no other backend",
    async (library, batches) => {
      const stop = new AbortController();
      const { backends } = await compare(
        { digits, options: once, chosen: "wasm", signal: stop.signal },
        () => ({
          gradstep: {},
          "TF.js": {},
          [library]: { onBatch: ({ batch }: { batch: number }) => batch === 3 && stop.abort() },
        }),
      );
      expect(backends).toHaveLength(1);
      const { gradstep, "TF.js": tfjs } = backends[0].runs;
      expect([gradstep.batchLosses.length, tfjs.batchLosses.length]).toEqual([batches, batches]);
      expect([gradstep.interrupted, tfjs.interrupted]).toEqual([true, true]);
    },
  );

  slowTest("does not count the time of the other's turns", async () => {
    const turns = new TurnQueue();
    const delay = (milliseconds: number): Promise<void> =>
      new Promise((resolve) => setTimeout(resolve, milliseconds));
    const other = async (): Promise<void> => {
      for (let turn = 0; turn < 10; turn++) {
        await turns.take();
        await delay(200);
        turns.pass();
      }
    };
    const start = performance.now();
    const [run] = await Promise.all([trainWith(once, { turns }), other()]);
    // The other's 2 seconds are in the whole time, and not in that of the training.
    expect((performance.now() - start) / 1000 - run.seconds).toBeGreaterThan(1.9);
  });
});

test("turns pass in the order of the requests", async () => {
  const turns = new TurnQueue();
  const log: string[] = [];
  const player = async (name: string): Promise<void> => {
    for (let turn = 0; turn < 3; turn++) {
      await turns.take();
      log.push(name);
      await Promise.resolve();
      turns.pass();
    }
  };
  await Promise.all(["a", "b", "c"].map(player));
  expect(log.join("")).toBe("abcabcabc");
});
