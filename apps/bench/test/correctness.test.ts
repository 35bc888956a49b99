import { describe, expect, test } from "vitest";
import { slowTest } from "../../../testing/slow-test.js";
import { measure } from "../src/measure.js";
import type { Contender } from "../src/contenders/contender.js";
import { hand } from "../src/contenders/hand.js";
import { accumulation } from "../src/contenders/accumulation.js";
import { contenders } from "../src/contenders/index.js";
import { languageModelContenders } from "../src/contenders/language-model.js";
import { sparseContenders } from "../src/contenders/sparse.js";
import { type Loop, loopContender } from "../src/contenders/loop-contender.js";
import { dataFor, makeBlock } from "../src/data.js";
import {
  checkResult,
  expectedOfBlock,
  expectedParameters,
  WrongResult,
} from "../src/correctness.js";

const block = makeBlock(1);
const expected = expectedParameters(block);
// More than one block, in tensors with odd offsets.
const workload = { name: "some", shapes: [[7], [300, 301], [1], [50]] };
const data = dataFor(workload, block);

async function errorOf(contender: Contender): Promise<number> {
  const running = await contender.start(data);
  try {
    return await checkResult(contender.name, running, data, expectedOfBlock(expected, data));
  } finally {
    running.dispose();
  }
}

/** The textbook loop with something changed. */
function wrong(
  change: Partial<Record<"rate" | "beta1" | "beta2" | "epsilon" | "offset", number>>,
): Contender {
  const { rate, beta1, beta2, epsilon, offset } = {
    rate: 0.001,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-7,
    offset: 0,
    ...change,
  };
  const update: Loop = (p, g, m, v, t) => {
    for (let i = 0; i < p.length; i += 1) {
      m[i] = m[i] + (g[i] - m[i]) * (1 - beta1);
      v[i] = v[i] + (g[i] * g[i] - v[i]) * (1 - beta2);
      const mHat = m[i] / (1 - beta1 ** (t + offset));
      const vHat = v[i] / (1 - beta2 ** (t + offset));
      p[i] = p[i] - (rate * mHat) / (Math.sqrt(vHat) + epsilon);
    }
  };
  return loopContender("wrong", "", update);
}

describe("a correct contender passes", () => {
  test.each(contenders)("$name", async (contender) => {
    expect(await errorOf(contender)).toBeLessThanOrEqual(1);
  });

  test("the loop below without changes", async () => {
    expect(await errorOf(wrong({}))).toBeLessThanOrEqual(1);
  });
});

describe("a wrong contender does not pass", () => {
  test.each([
    ["rate off by 0.1 %", { rate: 1.001e-3 }],
    ["another beta1", { beta1: 0.91 }],
    ["another beta2", { beta2: 0.99 }],
    ["another epsilon", { epsilon: 1e-8 }],
    ["t off by one", { offset: 1 }],
    ["not a number", { rate: Number.NaN }],
  ])("%s", async (_, change) => {
    await expect(errorOf(wrong(change))).rejects.toThrow(WrongResult);
  });

  test("a single element of the last tensor", async () => {
    const contender: Contender = {
      ...hand,
      start: async (given) => {
        const running = await hand.start(given);
        const read = async (): Promise<readonly ArrayLike<number>[]> => {
          const tensors = await running.read();
          return tensors.map((values, i) =>
            Array.from(values, (value, j) => (i === 3 && j === 49 ? value + 1e-5 : value)),
          );
        };
        return { ...running, read };
      },
    };
    await expect(errorOf(contender)).rejects.toThrow(
      /hand is wrong on some: .* value 49 of tensor 3/,
    );
  });
});

const budget = {
  warmUpNs: 0,
  turnNs: 0,
  workloadNs: 0,
  rounds: [1, 1],
  allocationNs: 0,
} as const;

describe("contenders with expectations of their own", () => {
  const table = { name: "sparse", shapes: [[2000, 8]] };
  const [lazy, sameRows, rowSteps, dense] = sparseContenders;

  slowTest("of accumulated gradients pass", async () => {
    const rows = await measure(workload, accumulation, { block, expected, budget });
    expect(rows.map(({ contender }) => contender)).toEqual([
      "accumulate 4",
      "adam",
      "tfjs-wasm ops",
    ]);
    expect(rows.map((row) => row.extraBytesPerParameter)).toEqual([12, 8, 12]);
  });

  test("of a language model pass, and ours keeps no tensor of TF.js", async () => {
    const small = { name: "language-model", shapes: [[8, 4], [4], [4, 8], [8]] };
    const rows = await measure(small, languageModelContenders, { block, expected, budget });
    expect(rows.map(({ contender, heldTensors }) => [contender, heldTensors])).toEqual([
      ["gradstep", 0],
      ["tfjs-wasm ops", 8],
    ]);
  });

  slowTest("of sparse gradients pass", async () => {
    const rows = await measure(table, sparseContenders, { block, expected, budget });
    const errors = rows.map(({ contender, largestErrorOverTolerance: error }) => [
      contender,
      error === null ? null : error <= 1,
    ]);
    expect(errors).toEqual([
      ["lazy", true],
      ["same rows", true],
      ["rowSteps", true],
      ["dense", true],
      ["rows alone", null],
      ["rows in tensors", null],
      ["tfjs-wasm ops", true],
    ]);
  });

  test.each([
    ["accumulated gradients as one batch", workload, accumulation[0], accumulation[1]],
    ["lazy steps as dense ones", table, lazy, dense],
    ["lazy steps as those of rows with counts", table, lazy, rowSteps],
    ["other rows in each step as the same ones", table, lazy, sameRows],
  ])("are different: %s do not pass", async (_, one, contender, { expected: others }) => {
    const { name, description, start } = contender;
    const wrongly = { name, description, start, ...(others && { expected: others }) };
    await expect(measure(one, [wrongly], { block, expected, budget })).rejects.toThrow(WrongResult);
  });
});

test("a wrong contender stops the measurement before anything is timed", async () => {
  let steps = 0;
  const counting: Contender = {
    ...hand,
    start: async (given) => {
      const running = await hand.start(given);
      return {
        ...running,
        step: () => {
          steps += 1;
          running.step();
        },
      };
    },
  };
  const run = measure(workload, [counting, wrong({ beta1: 0.5 })], { block, expected, budget });
  await expect(run).rejects.toThrow(WrongResult);
  expect(steps).toBe(4);
});
