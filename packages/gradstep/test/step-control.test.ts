import {
  adam,
  adamw,
  chain,
  clipByGlobalNorm,
  cosineDecay,
  cosineDecayRestarts,
  createOptimizer,
  ema,
  muon,
  nadam,
  newRow,
  sgd,
  warmup,
  type Optimizer,
  type OptimizerOptions,
  type OptimizerSpec,
  type Tensor,
} from "gradstep";
import { optimizerByName } from "gradstep/by-name";
import { rules } from "@gradstep/core/rules";
import { cpuJs } from "@gradstep/cpu-js";
import { reference } from "@gradstep/core/reference";
import { wasm } from "@gradstep/wasm";
import { describe, expect, test } from "vitest";
import { cases, seed } from "../../../testing/cases.js";

type Arrays = Readonly<Record<string, Float32Array>>;

const shapes = { w: [5, 4], b: [4], s: [] } as const;
const backends = {
  reference,
  "cpu-js": () => cpuJs(),
  "cpu-js, exact": () => cpuJs({ exact: true }),
  wasm: () => wasm(),
};

/** Xorshift, so that a case depends on its seed alone. */
function randomOf(start: number): () => number {
  let x = (start * 2654435761 + 1) >>> 0 || 1;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) / 2 ** 32;
  };
}

function randomArrays(
  random: () => number,
  names: readonly string[] = Object.keys(shapes),
): Arrays {
  return Object.fromEntries(
    names.map((name) => {
      const size = (shapes[name as keyof typeof shapes] as readonly number[]).reduce(
        (a, b) => a * b,
        1,
      );
      // Some zeros of both signs, whose bits count, too.
      return [
        name,
        Float32Array.from({ length: size }, () => {
          const value = random();
          return value < 0.05 ? 0 : value < 0.1 ? -0 : random() * 2 - 1;
        }),
      ];
    }),
  );
}

interface Run {
  readonly optimizer: Optimizer;
  readonly parameters: Readonly<Record<string, Tensor>>;
}

function start(
  backend: ReturnType<typeof reference | typeof cpuJs | typeof wasm>,
  spec: OptimizerSpec,
  initial: Arrays,
  options: OptimizerOptions = {},
): Run {
  const parameters = Object.fromEntries(
    Object.entries(initial).map(([name, values]) => [
      name,
      backend.tensor(shapes[name as keyof typeof shapes], values),
    ]),
  );
  return { optimizer: createOptimizer(spec, parameters, options), parameters };
}

/** All bits that a step may change. */
async function bitsOf({ optimizer, parameters }: Run): Promise<Record<string, string>> {
  const state = await optimizer.state();
  const named = Object.entries(state.slots).flatMap(([name, slots]) =>
    Object.entries(slots).map(([slot, values]) => [`${name}.${slot}`, values] as const),
  );
  const read = await Promise.all(
    Object.entries(parameters).map(async ([name, tensor]) => [name, await tensor.read()] as const),
  );
  return {
    ...Object.fromEntries(
      [...named, ...read].map(([name, values]) => [
        name,
        Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString("hex"),
      ]),
    ),
    iterations: String(state.iterations),
    groups: JSON.stringify(
      state.groups.map(({ iterations, persistentScalars }) => [iterations, persistentScalars]),
    ),
  };
}

/** The mean of gradients, summed one after the other in f32. */
function mean(all: readonly Arrays[]): Arrays {
  const names = [...new Set(all.flatMap((one) => Object.keys(one)))];
  return Object.fromEntries(
    names.map((name) => {
      const [first, ...others] = all.flatMap((one) => (one[name] === undefined ? [] : [one[name]]));
      return [
        name,
        first.map((value, i) => {
          const sum = others.reduce((total, one) => Math.fround(total + one[i]), value);
          return Math.fround(sum / all.length);
        }),
      ];
    }),
  );
}

const specs: readonly (readonly [string, OptimizerSpec])[] = [
  ...rules.map((rule): [string, OptimizerSpec] => [rule.name, rule.specify({})]),
  ["a chain", chain(clipByGlobalNorm(0.5), adamw({ weightDecay: 0.1 }), ema(0.9))],
  ["a schedule", adam({ learningRate: warmup(3, 0.1) })],
];

describe.each(Object.entries(backends))("accumulation on %s", (_, backend) => {
  test.each(specs)("%s: k calls are one step of their mean, bit for bit", async (_, spec) => {
    const random = randomOf(seed);
    const initial = randomArrays(random);
    const whole = start(backend(), spec, initial);
    const parts = start(backend(), spec, initial, { accumulate: 3 });
    for (let step = 0; step < 3; step += 1) {
      // Without a gradient of the bias in some calls.
      const calls = [0, 1, 2].map((i) =>
        randomArrays(random, i === step ? ["w", "s"] : ["w", "b", "s"]),
      );
      const before = await bitsOf(parts);
      parts.optimizer.step(calls[0]);
      parts.optimizer.step(calls[1]);
      expect(await bitsOf(parts)).toEqual(before);
      parts.optimizer.step(calls[2]);
      whole.optimizer.step(mean(calls));
      expect(await bitsOf(parts)).toEqual(await bitsOf(whole));
    }
    expect(parts.optimizer.microSteps).toBe(0);
  });

  test("rows of masks are combined", async () => {
    const random = randomOf(seed + 1);
    const initial = randomArrays(random, ["w"]);
    const whole = start(backend(), adam(), initial);
    const parts = start(backend(), adam(), initial, { accumulate: 2 });
    const masks = [Uint32Array.of(1, 0, 0, 1, 0), Uint32Array.of(0, 0, 7, 1, 0)];
    for (let step = 0; step < 2; step += 1) {
      const calls = [randomArrays(random, ["w"]), randomArrays(random, ["w"])];
      calls.forEach((gradients, i) => parts.optimizer.step(gradients, { rows: masks[i] }));
      const masked = calls.map(({ w }, i) => ({
        w: w.map((value, k) => (masks[i][Math.floor(k / 4)] === 0 ? -0 : value)),
      }));
      whole.optimizer.step(mean(masked), { rows: Uint32Array.of(1, 0, 1, 1, 0) });
      expect(await bitsOf(parts)).toEqual(await bitsOf(whole));
    }
  });

  test.each<OptimizerOptions>([
    { sparse: "dense" },
    { sparse: "lazy" },
    { sparse: "lazy", rowSteps: true },
  ])("sparse gradients are added in their rows: %o", async (options) => {
    const random = randomOf(seed + 10);
    const initial = randomArrays(random, ["w"]);
    const whole = start(backend(), adam(), initial, options);
    const parts = start(backend(), adam(), initial, {
      ...options,
      accumulate: 2,
      nonFinite: "skip",
    });
    const rowsOf = (count: number) => randomArrays(random, ["w"]).w.slice(0, 4 * count);
    const bad = { indices: Uint32Array.of(3), values: Float32Array.of(1, Number.NaN, 1, 1) };
    for (let step = 0; step < 3; step += 1) {
      const [first, second] = [rowsOf(2), rowsOf(2)];
      parts.optimizer.step({ w: { indices: Uint32Array.of(4, step), values: first } });
      parts.optimizer.step({ w: { indices: Uint32Array.of(3, 4), values: second } });
      const half = (value: number): number => Math.fround(value / 2);
      const rows = [
        first.slice(0, 4).map((g, i) => half(Math.fround(g + second[4 + i]))),
        first.slice(4).map(half),
        second.slice(0, 4).map(half),
      ];
      whole.optimizer.step({
        w: {
          indices: Uint32Array.of(4, step, 3),
          values: Float32Array.from(rows.flatMap((row) => [...row])),
        },
      });
      expect(await bitsOf(parts)).toEqual(await bitsOf(whole));
      parts.optimizer.step({ w: bad });
      parts.optimizer.step({ w: bad });
      expect(await bitsOf(parts)).toEqual(await bitsOf(whole));
    }
    expect(parts.optimizer.skippedSteps).toBe(3);
  });

  test("rows are moved between two calls", async () => {
    const random = randomOf(seed + 2);
    const initial = randomArrays(random, ["w"]);
    const parts = start(backend(), adam(), initial, { accumulate: 2 });
    const whole = start(backend(), adam(), initial);
    const [first, second] = [randomArrays(random, ["w"]), randomArrays(random, ["w"])];
    const indices = Uint32Array.of(4, newRow, 1, 0);
    parts.optimizer.step(first);
    for (const one of [parts, whole]) one.optimizer.rows().remap(indices);
    const moved = Float32Array.from({ length: 16 }, (_, k) =>
      k >= 4 && k < 8 ? -0 : first.w[indices[Math.floor(k / 4)] * 4 + (k % 4)],
    );
    const now = { w: second.w.slice(0, 16) };
    parts.optimizer.step(now);
    whole.optimizer.step(mean([{ w: moved }, now]));
    expect(await bitsOf(parts)).toEqual(await bitsOf(whole));
  });

  test("a state in the middle of a step goes on in another optimizer", async () => {
    const random = randomOf(seed + 3);
    const initial = randomArrays(random);
    const spec = chain(clipByGlobalNorm(0.5), adamw(), ema(0.9));
    const options: OptimizerOptions = { accumulate: 3, lossScale: "dynamic" };
    const one = start(backend(), spec, initial, options);
    const calls = Array.from({ length: 12 }, () => randomArrays(random));
    for (const gradients of calls.slice(0, 5)) one.optimizer.step(gradients);
    const state = structuredClone(await one.optimizer.state());
    const now = Object.fromEntries(
      await Promise.all(
        Object.entries(one.parameters).map(async ([name, tensor]) => [name, await tensor.read()]),
      ),
    ) as Arrays;
    const other = start(backend(), spec, now, options);
    other.optimizer.restore(state);
    expect(other.optimizer.microSteps).toBe(2);
    for (const gradients of calls.slice(5)) {
      one.optimizer.step(gradients);
      other.optimizer.step(gradients);
      expect(await bitsOf(other)).toEqual(await bitsOf(one));
    }
    const without = start(backend(), spec, now);
    expect(() => without.optimizer.restore(state)).toThrow(/accumulate above 2/);
  });
});

const nonFinite = [Number.NaN, Infinity, -Infinity];

/** Calls before the state is taken, the spec, the options, and which calls have a gradient that is not finite. */
const resumed: readonly (readonly [string, number, OptimizerSpec, OptimizerOptions, number[]])[] = [
  ["of a warm-up", 4, adamw({ learningRate: warmup(9, cosineDecay(0.1, 20)) }), {}, []],
  ["of a restart", 7, nadam({ learningRate: cosineDecayRestarts(0.1, 5) }), {}, []],
  [
    "of an accumulation",
    7,
    chain(adamw({ learningRate: warmup(3, 0.1) }), ema(0.9)),
    { accumulate: 3 },
    [],
  ],
  [
    "of a streak of skipped steps",
    6,
    adam({ learningRate: warmup(9, 0.1) }),
    { lossScale: "dynamic" },
    [4, 5, 6, 7],
  ],
  [
    "of all of it",
    8,
    chain(clipByGlobalNorm(1), muon(), ema(0.9)),
    { accumulate: 2, lossScale: { growthInterval: 2 } },
    [3, 7, 8],
  ],
];

describe.each(Object.entries(backends))("resumed on %s", (_, backend) => {
  test.each(resumed)(
    "in the middle %s, a run has the bits of one without a break",
    async (_, before, spec, options, bad) => {
      const random = randomOf(seed + 11);
      const initial = randomArrays(random);
      const calls = Array.from({ length: 2 * before }, (_, i) => {
        const gradients = randomArrays(random);
        if (bad.includes(i)) gradients.w[i] = nonFinite[i % 3];
        return gradients;
      });
      const whole = start(backend(), spec, initial, options);
      const first = start(backend(), spec, initial, options);
      for (const gradients of calls) whole.optimizer.step(gradients);
      for (const gradients of calls.slice(0, before)) first.optimizer.step(gradients);
      const now = Object.fromEntries(
        await Promise.all(
          Object.entries(first.parameters).map(async ([name, tensor]) => [
            name,
            await tensor.read(),
          ]),
        ),
      ) as Arrays;
      const second = start(backend(), spec, now, options);
      second.optimizer.restore(structuredClone(await first.optimizer.state()));
      for (const gradients of calls.slice(before)) second.optimizer.step(gradients);
      expect(await bitsOf(second)).toEqual(await bitsOf(whole));
      expect(second.optimizer.lossScale).toBe(whole.optimizer.lossScale);
      expect(second.optimizer.skippedSteps).toBe(whole.optimizer.skippedSteps);
    },
  );
});

describe.each(Object.entries(backends))("gradients that are not finite on %s", (_, backend) => {
  test(`a skipped step changes no bit, and the next is that of a run without it (seed ${seed})`, async () => {
    const random = randomOf(seed + 4);
    const spec = chain(clipByGlobalNorm(0.5), adamw({ learningRate: warmup(5, 0.1) }), ema(0.9));
    const initial = randomArrays(random);
    const skipping = start(backend(), spec, initial, { nonFinite: "skip" });
    const plain = start(backend(), spec, initial);
    const count = cases(10_000, 200);
    for (let i = 0; i < count; i += 1) {
      const bad = randomArrays(random);
      const names = Object.keys(bad);
      const array = bad[names[Math.floor(random() * names.length)]];
      array[Math.floor(random() * array.length)] = nonFinite[i % 3];
      const before = await bitsOf(skipping);
      skipping.optimizer.step(bad);
      expect(await bitsOf(skipping)).toEqual(before);
      if (i % 10 !== 0) continue;
      const gradients = randomArrays(random);
      skipping.optimizer.step(gradients);
      plain.optimizer.step(gradients);
      expect(await bitsOf(skipping)).toEqual(await bitsOf(plain));
    }
    expect(skipping.optimizer.skippedSteps).toBe(count);
    expect(await skipping.optimizer.metrics()).toMatchObject({ skippedSteps: count });
  });

  test("values in rows that a mask leaves out do not count", async () => {
    const random = randomOf(seed + 5);
    const run = start(backend(), adam(), randomArrays(random, ["w"]), { nonFinite: "skip" });
    const gradients = randomArrays(random, ["w"]);
    gradients.w[5] = Number.NaN;
    run.optimizer.step(gradients, { rows: Uint32Array.of(1, 0, 1, 1, 1) });
    expect(run.optimizer.iterations).toBe(1);
    run.optimizer.step(gradients, { rows: Uint32Array.of(1, 1, 1, 1, 1) });
    expect([run.optimizer.iterations, run.optimizer.skippedSteps]).toEqual([1, 1]);
  });

  test("throw names the value, and nothing has changed", async () => {
    const random = randomOf(seed + 6);
    for (const accumulate of [1, 2]) {
      const run = start(backend(), adam(), randomArrays(random), {
        nonFinite: "throw",
        accumulate,
      });
      run.optimizer.step(randomArrays(random));
      const before = await run.optimizer.state();
      const bad = randomArrays(random);
      bad.b[2] = -Infinity;
      expect(() => run.optimizer.step(bad)).toThrow(
        expect.objectContaining({
          code: "NON_FINITE",
          message: expect.stringContaining('"b" has -Infinity at 2'),
        }),
      );
      expect(await run.optimizer.state()).toEqual(before);
    }
  });

  test("a sum that is not finite drops the step of all its calls", async () => {
    const random = randomOf(seed + 7);
    const run = start(backend(), adam(), randomArrays(random), {
      nonFinite: "skip",
      accumulate: 2,
    });
    const before = await bitsOf(run);
    const bad = randomArrays(random);
    bad.w[3] = Number.NaN;
    run.optimizer.step(bad);
    expect(run.optimizer.microSteps).toBe(1);
    run.optimizer.step(randomArrays(random));
    expect([run.optimizer.microSteps, run.optimizer.skippedSteps]).toEqual([0, 1]);
    expect(await bitsOf(run)).toEqual(before);
    const plain = start(backend(), adam(), randomArrays(randomOf(seed + 7)));
    const calls = [randomArrays(random), randomArrays(random)];
    for (const gradients of calls) run.optimizer.step(gradients);
    plain.optimizer.step(mean(calls));
    expect(await bitsOf(run)).toEqual(await bitsOf(plain));
  });
});

describe.each(Object.entries(backends))("loss scale on %s", (_, backend) => {
  test.each([1, 3])("gradients are divided by it, with accumulate %d", async (accumulate) => {
    const random = randomOf(seed + 8);
    const initial = randomArrays(random);
    const scaled = start(backend(), adamw(), initial, { lossScale: 1024, accumulate });
    const plain = start(backend(), adamw(), initial, { accumulate });
    expect(scaled.optimizer.lossScale).toBe(1024);
    for (let call = 0; call < 6; call += 1) {
      const gradients = randomArrays(random);
      plain.optimizer.step(gradients);
      scaled.optimizer.step(
        Object.fromEntries(
          Object.entries(gradients).map(([name, values]) => [name, values.map((g) => g * 1024)]),
        ),
      );
      expect(await bitsOf(scaled)).toEqual(await bitsOf(plain));
    }
  });

  test("it doubles after steps in a row, and halves at an overflow", () => {
    const random = randomOf(seed + 9);
    const { optimizer } = start(backend(), sgd(), randomArrays(random), {
      lossScale: { initial: 8, growthInterval: 3 },
    });
    const good = randomArrays(random);
    const bad = { ...good, s: Float32Array.of(Infinity) };
    const scales = [good, good, bad, good, good, good, good, bad, bad, good].map((gradients) => {
      optimizer.step(gradients);
      return optimizer.lossScale;
    });
    // torch.amp.GradScaler(init_scale=8, growth_interval=3) gives the same sequence.
    expect(scales).toEqual([8, 8, 4, 4, 4, 8, 8, 4, 2, 2]);
    expect([optimizer.iterations, optimizer.skippedSteps]).toEqual([7, 3]);
  });
});

describe("options", () => {
  test("are part of the configuration", () => {
    const options: OptimizerOptions = { accumulate: 4, lossScale: "dynamic" };
    const { optimizer } = start(reference(), adam(), randomArrays(randomOf(1)), options);
    const config = JSON.parse(JSON.stringify(optimizer.config()));
    expect(config).toMatchObject({
      accumulate: 4,
      lossScale: { initial: 32_768, growthInterval: 2000, growthFactor: 2, backoffFactor: 0.5 },
    });
    const again = start(reference(), optimizerByName(config), randomArrays(randomOf(1)));
    expect(again.optimizer.config()).toEqual(optimizer.config());
    expect(start(reference(), adam(), randomArrays(randomOf(1))).optimizer.config()).toEqual({
      name: "adam",
      settings: expect.anything(),
      groups: [],
    });
  });

  test.each<readonly [string, object, string]>([
    ["accumulate", { accumulate: 0 }, "a positive integer"],
    ["accumulate", { accumulate: 1.5 }, "a positive integer"],
    ["accumulate", { accumulate: "2" }, "a positive integer"],
    ["nonFinite", { nonFinite: "ignore" }, "propagate"],
    ["schedulesCount", { schedulesCount: "epochs" }, "steps"],
    ["lossScale", { lossScale: 0 }, "a positive number"],
    ["lossScale", { lossScale: Number.NaN }, "a positive number"],
    ["lossScale", { lossScale: 1e300 }, "that f32 can hold"],
    ["lossScale", { lossScale: null }, "dynamic"],
    ["lossScale", { lossScale: { initial: -1 } }, "a positive number"],
    ["lossScale", { lossScale: { growthInterval: 0 } }, "a positive integer"],
    ["lossScale", { lossScale: { growthFactor: 0.5 } }, "from 1 on"],
    ["lossScale", { lossScale: { backoffFactor: 2 } }, "up to 1"],
    ["lossScale", { lossScale: { growth: 2 } }, "growthInterval"],
    ["nonFinite", { nonFinite: "throw", lossScale: "dynamic" }, "leave nonFinite out"],
  ])("%s is checked: %o", (name, options, expected) => {
    const make = () => start(reference(), adam(), randomArrays(randomOf(1)), options);
    expect(make).toThrow(name);
    expect(make).toThrow(expected);
  });
});
