import { adam, createOptimizer, type Tensor } from "@gradstep/core";
import { webgpu } from "@gradstep/webgpu";
import { expect, test } from "vitest";
import { countingDevice, countingEncoder } from "./counting-device.js";
import { describe, newDevice, wordsOf } from "./gpu.js";
import { isRounded } from "./float16.js";
import { PlainTrainer } from "./array-trainer.js";
import { Random } from "./random.js";
import {
  attributes,
  densify,
  SimulatedPass,
  structLength,
  type Gradients,
} from "./splat-trainer.js";

const capacity = 140_000;
const settings = { epsilon: 1e-15, beta2: 0.99 };

describe("a trainer of 100,000 points", () => {
  test("50 steps and 5 remaps are those of plain arrays around dense steps, and a step makes nothing", async () => {
    const real = await newDevice();
    const { device, counts } = countingDevice(real);
    const backend = webgpu({ device });
    const random = new Random(1);
    const pass = new SimulatedPass(random);
    let rows = 100_000;

    const storage = (size: number): GPUBuffer =>
      real.createBuffer({ size, usage: 0x80 | 0x4 | 0x8 });
    const structs = storage(capacity * structLength * 2);
    const harmonics = storage(capacity * 6 * 4);
    const tiles = storage(capacity * 4);
    const copies = storage(capacity * structLength * 2);
    const harmonicCopies = storage(capacity * 6 * 2);

    const parameters: Record<string, Tensor> = {};
    const packed: Record<string, Tensor> = {};
    backend.reserve(attributes.map(({ columns }) => rows * columns));
    for (const { name, columns, copyAt } of attributes) {
      const shape = [rows, columns];
      parameters[name] = backend.tensor(shape, random.values(rows * columns));
      const own = copyAt === undefined;
      packed[name] = backend.wrap(own ? harmonicCopies : copies, {
        shape,
        capacity,
        dtype: "f16",
        offset: copyAt ?? 0,
        rowStride: own ? columns : structLength,
      });
    }
    const optimizer = createOptimizer(adam(settings), parameters, {
      groups: attributes.map(({ name, learningRate, every }) => ({
        match: name,
        learningRate,
        every,
      })),
      mirrors: packed,
    });
    const given = (): { gradients: Record<string, Tensor>; mask: Tensor } => ({
      gradients: Object.fromEntries(
        attributes.map(({ name, columns, gradientAt }) => [
          name,
          gradientAt === undefined
            ? backend.wrap(harmonics, { shape: [rows, columns] })
            : backend.wrap(structs, {
                shape: [rows, columns],
                dtype: "f16",
                offset: gradientAt,
                rowStride: structLength,
              }),
        ]),
      ),
      mask: backend.wrap(tiles, { shape: [rows], dtype: "u32" }),
    });

    const plain = new PlainTrainer(
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

    /** What is called on the device in a step. */
    const calls = new Set<string>();
    let { gradients, mask } = given();
    for (let step = 1; step <= 50; step += 1) {
      const values = pass.gradients(rows);
      upload(values);
      const before = { ...counts };
      // Arrays as masks, a new one each time, in every other ten steps.
      const isArray = Math.floor(step / 10) % 2 === 1;
      optimizer.step(gradients, { rows: isArray ? values.tiles : mask });
      // The first two kinds of steps after a remap prepare themselves.
      if (step % 10 > 5) {
        const made = Object.keys(counts)
          .map((key) => `${key} ${counts[key] - (before[key] ?? 0)}`)
          .filter((line) => !line.endsWith(" 0"));
        calls.add(made.sort().join(", "));
      }
      await plain.step(values);
      if (step % 10 === 0) {
        const { indices, fresh } = densify(rows, random);
        optimizer.rows().remap(indices, { resetRows: fresh });
        plain.remap(indices, fresh);
        rows = indices.length;
        ({ gradients, mask } = given());
      }
    }
    await backend.ready();
    expect([...calls].sort()).toEqual([
      "createCommandEncoder 1, submit 1, writeBuffer 1",
      // The mask of the step, where it is an array.
      "createCommandEncoder 1, submit 1, writeBuffer 2",
    ]);

    const state = await optimizer.state();
    let wrong = 0;
    for (const { name } of attributes) {
      wrong += differences(await parameters[name].read(), plain.parameters[name]);
      for (const slot of ["m", "v"])
        wrong += differences(state.slots[name][slot], plain.state.slots[name][slot]);
    }
    expect(wrong).toBe(0);

    const structWords = new Uint16Array((await wordsOf(real, copies)).buffer);
    const harmonicWords = new Uint16Array((await wordsOf(real, harmonicCopies)).buffer);
    let unlike = 0;
    for (const { name, columns, copyAt } of attributes) {
      plain.parameters[name].forEach((value, at) => {
        const row = Math.floor(at / columns);
        const bits =
          copyAt === undefined
            ? harmonicWords[at]
            : structWords[row * structLength + copyAt + (at % columns)];
        if (!isRounded(bits, value)) unlike += 1;
      });
    }
    expect(unlike).toBe(0);

    // Four attributes with four rates in one dispatch; the fifth, whose gradients are elsewhere, at every fifth step.
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
