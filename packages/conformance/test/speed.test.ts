import { reference } from "@gradstep/core/reference";
import { expect, test } from "vitest";
import type { OpenedBackend } from "../src/doctor/candidate.js";
import { measureSpeed } from "../src/doctor/speed.js";

const log: string[] = [];

/** The reference, which says when its steps run and are waited for. */
const backend: OpenedBackend = {
  forCheck: reference,
  forSpeed: () => {
    const one = reference();
    const compile = one.compile.bind(one);
    return Object.assign(one, {
      compile: (variant: Parameters<typeof compile>[0]) => {
        const kernel = compile(variant);
        const run = kernel.run.bind(kernel);
        return Object.assign(kernel, {
          run: (...args: Parameters<typeof run>) => {
            log.push("step");
            run(...args);
          },
        });
      },
    });
  },
  finish: async () => void log.push("finish"),
  dispose: () => {},
};

const options = { parameters: 10, rounds: 4, turnMs: 0 };

test("a round has one turn of each backend, and steps are waited for once per turn", async () => {
  log.length = 0;
  const rounds: number[] = [];
  const speed = await measureSpeed(
    [{ name: "own", backend }],
    options,
    new AbortController().signal,
    (round) => rounds.push(round),
  );
  // Two turns of three steps to warm up and to count, then one step per turn.
  const warmUp = ["step", "step", "step", "finish"];
  expect(log).toEqual([warmUp, warmUp, rounds.map(() => ["step", "finish"])].flat(2));
  expect(rounds).toEqual([0, 1, 2, 3]);
  expect(speed).toMatchObject({ parameters: 10, rounds: 4, backends: [{ name: "own" }] });
  const [{ timesAsFast, stepNs }] = speed!.backends;
  expect(stepNs).toBeGreaterThan(0);
  expect(timesAsFast).toEqual([...timesAsFast].sort((a, b) => a - b));
});

test("a signal stops it without a result", async () => {
  const controller = new AbortController();
  const speed = await measureSpeed(
    [{ name: "own", backend }],
    options,
    controller.signal,
    (round) => {
      if (round === 1) controller.abort();
    },
  );
  expect(speed).toBeUndefined();
});
