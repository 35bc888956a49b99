import {
  adafactor,
  adam,
  adamw,
  chain,
  clipByGlobalNorm,
  createOptimizer,
  ema,
  lookahead,
  muon,
  newRow,
  scheduleFreeAdamw,
  type Optimizer,
  type OptimizerSpec,
  type StepControlOptions,
  type Tensor,
} from "@gradstep/core";
import { expect, test } from "vitest";
import { bufferOf, describe, newBackend } from "./gpu.js";
import { Random } from "./random.js";

const columns = 5;
const stride = 11;

/** Two optimizers that should agree: of rows with gaps, which have an activated copy, and of plain rows. */
interface Pair {
  readonly both: readonly Optimizer<string>[];
  /** @param gradient is cleared for the rows with gaps */
  readonly step: (gradient: Float32Array) => void;
  /** The largest difference of values, and of the copy from the activated values. */
  readonly distance: () => Promise<number>;
}

async function pairOf(spec: OptimizerSpec, control: StepControlOptions = {}): Promise<Pair> {
  const backend = await newBackend();
  const rows = 9;
  const start = new Random(1).values(rows * columns);
  const structs = new Float32Array(2 * rows * stride);
  start.forEach((value, i) => {
    structs[Math.floor(i / columns) * stride + 4 + (i % columns)] = value;
  });
  const shape = [rows, columns];
  const layout = { shape, offset: 4, rowStride: stride, capacity: 2 * rows };
  const strided: Tensor = backend.wrap(bufferOf(backend.device, structs), layout);
  const plain: Tensor = backend.tensor(shape, start);
  const copy: Tensor = backend.tensor(shape);
  const copies = { w: { to: copy, as: "exp" as const } };
  const [one, other] = [
    createOptimizer(spec, { w: strided }, { copies, ...control }),
    createOptimizer(spec, { w: plain }, control),
  ];
  return {
    both: [one, other] as unknown as Optimizer<string>[],
    step: (gradient) => {
      other.step({ w: gradient.slice() });
      one.step({ w: gradient }, { clear: true });
    },
    distance: async () => {
      const [got, wanted, copied] = await Promise.all([strided.read(), plain.read(), copy.read()]);
      const apart = Array.from(got, (value, i) => Math.abs(value - wanted[i]));
      const stale = Array.from(got, (value, i) => Math.abs(copied[i] / Math.exp(value) - 1));
      await backend.ready();
      return Math.max(...apart, ...stale);
    },
  };
}

const rules: readonly (readonly [string, OptimizerSpec])[] = [
  ["adam", adam()],
  ["a global norm and adamw", chain(clipByGlobalNorm(0.1), adamw())],
  ["adam and an average", chain(adam(), ema(0.9))],
  ["schedule-free adamw", scheduleFreeAdamw()],
  ["adafactor", adafactor()],
  ["lookahead", chain(adam(), lookahead())],
  ["muon", muon()],
];

describe("parameters with gaps between rows", () => {
  test.each(rules)(
    "%s: steps, restore, swap, remap and reset are those of plain rows",
    async (name, spec) => {
      const hasAverage = ["adam and an average", "schedule-free adamw"].includes(name);
      const { both, step, distance } = await pairOf(spec);
      const distances: Record<string, number> = {};
      const note = async (when: string): Promise<void> => {
        distances[when] = await distance();
      };
      const random = new Random(2);
      for (let i = 0; i < 3; i += 1) step(random.values(9 * columns));
      await note("after steps");
      for (const one of both) one.restore(await one.state());
      const gradient = random.values(9 * columns);
      step(gradient);
      expect(gradient).toEqual(new Float32Array(9 * columns));
      await note("after a restore");
      if (hasAverage) {
        for (const one of both) one.swap();
        await note("swapped");
        for (const one of both) one.swap();
        await note("swapped back");
      }
      for (const one of both)
        one.rows().remap(Uint32Array.of(3, 1, 1, newRow, 8, 0, 2, 2, 2, 2, 5));
      await note("after a remap");
      step(random.values(11 * columns));
      for (const one of both) one.reset();
      step(random.values(11 * columns));
      await note("after a reset");
      const isFar = ([, value]: [string, number]): boolean => !(value < 1e-5);
      expect(Object.entries(distances).filter(isFar)).toEqual([]);
    },
  );

  test.each<[string, StepControlOptions]>([
    ["accumulate", { accumulate: 2 }],
    ["a loss scale", { lossScale: "dynamic" }],
    ["skipped steps", { nonFinite: "skip" }],
  ])("with %s", async (_, control) => {
    const { step, distance } = await pairOf(adam(), control);
    const random = new Random(3);
    for (let i = 0; i < 6; i += 1) {
      const gradient = random.values(9 * columns);
      if (i === 3) gradient[17] = Number.NaN;
      if (i !== 3 || control.accumulate === undefined) step(gradient);
    }
    expect(await distance(), "after steps").toBeLessThan(1e-5);
  });
});
