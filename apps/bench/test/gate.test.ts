import { describe, expect, test } from "vitest";
import { measure } from "../src/bench.js";
import type { Contender } from "../src/contenders/contender.js";
import { hand } from "../src/contenders/hand.js";
import { contenders } from "../src/contenders/index.js";
import { type Loop, loopContender } from "../src/contenders/loop.js";
import { dataFor, makeBlock } from "../src/data.js";
import { expectedAfterGate, judge, WrongResult } from "../src/gate.js";

const block = makeBlock(1);
const expected = expectedAfterGate(block);
// Beyond one block, and in tensors that begin at odd places.
const workload = { name: "some", shapes: [[7], [300, 301], [1], [50]] };
const data = dataFor(workload, block);

async function verdict(contender: Contender): Promise<number> {
  const entrant = await contender.start(data);
  try {
    return await judge(contender.name, entrant, data, expected);
  } finally {
    entrant.dispose();
  }
}

/** The loop people write, with something about it changed. */
function wrong(
  change: Partial<Record<"rate" | "beta1" | "beta2" | "epsilon" | "late", number>>,
): Contender {
  const { rate, beta1, beta2, epsilon, late } = {
    rate: 0.001,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-7,
    late: 0,
    ...change,
  };
  const update: Loop = (p, g, m, v, t) => {
    for (let i = 0; i < p.length; i += 1) {
      m[i] = m[i] + (g[i] - m[i]) * (1 - beta1);
      v[i] = v[i] + (g[i] * g[i] - v[i]) * (1 - beta2);
      const mHat = m[i] / (1 - beta1 ** (t + late));
      const vHat = v[i] / (1 - beta2 ** (t + late));
      p[i] = p[i] - (rate * mHat) / (Math.sqrt(vHat) + epsilon);
    }
  };
  return loopContender("wrong", "", update);
}

describe("who is right passes", () => {
  test.each(contenders)("$name", async (contender) => {
    expect(await verdict(contender)).toBeLessThanOrEqual(1);
  });

  test("and so does the loop below when nothing is changed", async () => {
    expect(await verdict(wrong({}))).toBeLessThanOrEqual(1);
  });
});

describe("who is wrong does not", () => {
  test.each([
    ["rate off by 0.1 %", { rate: 1.001e-3 }],
    ["another beta1", { beta1: 0.91 }],
    ["another beta2", { beta2: 0.99 }],
    ["another epsilon", { epsilon: 1e-8 }],
    ["t off by one", { late: 1 }],
    ["not a number", { rate: Number.NaN }],
  ])("%s", async (_, change) => {
    await expect(verdict(wrong(change))).rejects.toThrow(WrongResult);
  });

  test("a single element of the last tensor", async () => {
    const contender: Contender = {
      ...hand,
      start: async (given) => {
        const entrant = await hand.start(given);
        const read = async (): Promise<readonly ArrayLike<number>[]> => {
          const tensors = await entrant.read();
          return tensors.map((values, i) =>
            Array.from(values, (value, j) => (i === 3 && j === 49 ? value + 1e-5 : value)),
          );
        };
        return { ...entrant, read };
      },
    };
    await expect(verdict(contender)).rejects.toThrow(
      /hand is wrong on some: .* value 49 of tensor 3/,
    );
  });
});

test("a wrong contender stops the measurement before any time is taken", async () => {
  const effort = { warmUpNs: 0, turnNs: 0, workloadNs: 0, rounds: [1, 1], watchNs: 0 } as const;
  let steps = 0;
  const counting: Contender = {
    ...hand,
    start: async (given) => {
      const entrant = await hand.start(given);
      return {
        ...entrant,
        step: () => {
          steps += 1;
          entrant.step();
        },
      };
    },
  };
  const run = measure(workload, [counting, wrong({ beta1: 0.5 })], block, expected, effort);
  await expect(run).rejects.toThrow(WrongResult);
  expect(steps).toBe(4);
});
