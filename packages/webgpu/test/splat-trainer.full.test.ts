import { adam, createOptimizer, type Tensor } from "@gradstep/core";
import { webgpu } from "@gradstep/webgpu";
import { expect, test } from "vitest";
import { countingDevice, countingEncoder } from "./counting-device.js";
import { cases, seed } from "../../../testing/cases.js";
import { describe, sharedDevice, wordsOf } from "./gpu.js";
import { isRounded } from "./float16.js";
import { ArrayTrainer } from "./array-trainer.js";
import { Random } from "./random.js";
import {
  attributes,
  densify,
  SimulatedPass,
  structLength,
  type Gradients,
} from "./splat-trainer.js";

const points = cases(100_000, 3000);
const capacity = Math.ceil(points * 1.4);
const settings = { epsilon: 1e-15, beta2: 0.99 };

describe(`a trainer of ${points} points (seed ${seed})`, () => {
  test("50 steps and 5 remaps give the values of plain arrays around dense steps, and a step creates nothing", async () => {
    const real = await sharedDevice();
    const { device, counts } = countingDevice(real);
    const backend = webgpu({ device });
    const random = new Random(seed);
    const pass = new SimulatedPass(random);
    let rows = points;

    const storage = (size: number): GPUBuffer =>
      real.createBuffer({ size, usage: 0x80 | 0x4 | 0x8 });
    const structs = storage(capacity * structLength * 2);
    const harmonics = storage(capacity * 6 * 4);
    const tiles = storage(capacity * 4);
    const copies = storage(capacity * structLength * 2);
    const harmonicMirrors = storage(capacity * 6 * 2);

    const parameters: Record<string, Tensor> = {};
    const mirrorTensors: Record<string, Tensor> = {};
    backend.reserve(attributes.map(({ columns }) => rows * columns));
    for (const { name, columns, mirrorOffset } of attributes) {
      const shape = [rows, columns];
      parameters[name] = backend.tensor(shape, random.values(rows * columns));
      const hasOwnBuffer = mirrorOffset === undefined;
      mirrorTensors[name] = backend.wrap(hasOwnBuffer ? harmonicMirrors : copies, {
        shape,
        capacity,
        dtype: "f16",
        offset: mirrorOffset ?? 0,
        rowStride: hasOwnBuffer ? columns : structLength,
      });
    }
    const optimizer = createOptimizer(adam(settings), parameters, {
      groups: attributes.map(({ name, learningRate, every }) => ({
        match: name,
        learningRate,
        every,
      })),
      copies: mirrorTensors,
    });
    const inputs = (): { gradients: Record<string, Tensor>; mask: Tensor } => ({
      gradients: Object.fromEntries(
        attributes.map(({ name, columns, gradientOffset }) => [
          name,
          gradientOffset === undefined
            ? backend.wrap(harmonics, { shape: [rows, columns] })
            : backend.wrap(structs, {
                shape: [rows, columns],
                dtype: "f16",
                offset: gradientOffset,
                rowStride: structLength,
              }),
        ]),
      ),
      mask: backend.wrap(tiles, { shape: [rows], dtype: "u32" }),
    });

    const expected = new ArrayTrainer(
      webgpu({ device: real }),
      settings,
      Object.fromEntries(
        await Promise.all(
          attributes.map(async ({ name }) => [name, await parameters[name].read()] as const),
        ),
      ),
      await optimizer.state(),
    );
    const upload = (gradients: Gradients): void => {
      real.queue.writeBuffer(structs, 0, gradients.structs);
      real.queue.writeBuffer(harmonics, 0, gradients.harmonics);
      real.queue.writeBuffer(tiles, 0, gradients.tiles);
    };

    /** Calls of the device per step. */
    const calls = new Set<string>();
    let { gradients, mask } = inputs();
    for (let step = 1; step <= 50; step += 1) {
      const values = pass.gradients(rows);
      upload(values);
      const before = { ...counts };
      // Every other ten steps have a new array as mask in each step.
      const isArray = Math.floor(step / 10) % 2 === 1;
      optimizer.step(gradients, { rows: isArray ? values.tiles : mask });
      // The first steps after a remap prepare their plans.
      if (step % 10 > 5) {
        const made = Object.keys(counts)
          .map((key) => `${key} ${counts[key] - (before[key] ?? 0)}`)
          .filter((line) => !line.endsWith(" 0"));
        calls.add(made.sort().join(", "));
      }
      await expected.step(values);
      if (step % 10 === 0) {
        const { indices, resetRows } = densify(rows, random);
        optimizer.rows().remap(indices, { resetRows });
        expected.remap(indices, resetRows);
        rows = indices.length;
        ({ gradients, mask } = inputs());
      }
    }
    await backend.ready();
    expect([...calls].sort()).toEqual([
      // The scalars of several steps are one write.
      "createCommandEncoder 1, submit 1",
      "createCommandEncoder 1, submit 1, writeBuffer 1",
      // Steps with an array as mask write it.
      "createCommandEncoder 1, submit 1, writeBuffer 2",
    ]);

    const state = await optimizer.state();
    let wrong = 0;
    for (const { name } of attributes) {
      wrong += differences(await parameters[name].read(), expected.parameters[name]);
      for (const slot of ["m", "v"])
        wrong += differences(state.slots[name][slot], expected.state.slots[name][slot]);
    }
    expect(wrong).toBe(0);

    const structWords = new Uint16Array((await wordsOf(real, copies)).buffer);
    const harmonicWords = new Uint16Array((await wordsOf(real, harmonicMirrors)).buffer);
    let wrongMirrors = 0;
    for (const { name, columns, mirrorOffset } of attributes) {
      expected.parameters[name].forEach((value, at) => {
        const row = Math.floor(at / columns);
        const bits =
          mirrorOffset === undefined
            ? harmonicWords[at]
            : structWords[row * structLength + mirrorOffset + (at % columns)];
        if (!isRounded(bits, value)) wrongMirrors += 1;
      });
    }
    expect(wrongMirrors).toBe(0);

    // Four attributes with four rates are one dispatch. The fifth has its gradients in another buffer, and is updated on
    // every fifth step.
    for (const dispatches of [1, 1, 1, 1, 2]) {
      const counting = countingEncoder(device.createCommandEncoder());
      optimizer.encode(counting.encoder, gradients, { rows: mask });
      expect(counting.counts).toEqual({ dispatches, passes: 1 });
    }
  });
});

function differences(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  let count = Math.abs(got.length - expected.length);
  for (let i = 0; i < expected.length; i += 1) if (!Object.is(got[i], expected[i])) count += 1;
  return count;
}
