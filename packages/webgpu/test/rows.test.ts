import {
  adam,
  adamax,
  lion,
  nadam,
  rmsprop,
  sgd,
  type OtherRows,
  type Variant,
} from "@gradstep/core";
import { webgpu } from "@gradstep/webgpu";
import { expect, test } from "vitest";
import { emitRows } from "../src/emit-rows.js";
import type { RowForm } from "../src/forms.js";
import { rules } from "@gradstep/core/rules";
import { countingDevice } from "./counting-device.js";
import { backendOnSharedDevice, describe, freshDevice } from "./gpu.js";
import { Random } from "./random.js";
import { RowWorld, type RowCase } from "./row-world.js";

const modes: readonly OtherRows[] = ["keep", "decay", "zero"];
const forms: readonly RowForm[] = (["apart", "joined"] as const).flatMap((gradients) =>
  [false, true].flatMap((mask) => [false, true].map((copy) => ({ gradients, mask, copy }))),
);

/** Positive scalars, as a step has them: one in eight is 0. */
function scalarsOf(variant: Variant, random: Random): Float64Array {
  return Float64Array.from(variant.scalars, () => (random.below(8) === 0 ? 0 : random.unit()));
}

function randomCase(random: Random, scalars: Float64Array, most = 40): RowCase {
  const of = <T>(...all: readonly T[]): T => all[random.below(all.length)];
  return {
    rows: 1 + random.below(most),
    columns: 1 + random.below(9),
    gradient: of("plain", "strided", "f16", "f16"),
    mask: of("none", "array", "tensor", "strided"),
    density: of(0, 0.1, 0.5, 0.9, 1),
    others: of(...modes),
    copy: of("none", "flat", "padded"),
    scalars,
  };
}

const nothing = { values: 0, copies: 0, outside: 0 };

describe("rows", () => {
  test("every variant of every rule compiles in every form", async () => {
    const device = await freshDevice();
    const variants = rules.flatMap((rule) => [...rule.variants()]);
    const sources = new Set(variants.flatMap((one) => forms.map((form) => emitRows(one, form))));
    expect(sources.size).toBeGreaterThan(400);
    for (const code of sources) {
      const { messages } = await device.createShaderModule({ code }).getCompilationInfo();
      expect(messages.map(({ message }) => `${message}\n${code}`)).toEqual([]);
    }
  });

  test.each([
    ["sgd", sgd({ momentum: 0.9 })],
    ["rmsprop", rmsprop({ momentum: 0.9 })],
    ["adam", adam({ weightDecay: 0.1 })],
    ["adamax", adamax()],
    ["nadam", nadam()],
    ["lion", lion()],
  ])(
    "%s: what becomes of the other rows, with masks of none, some and all",
    async (_, { rule, options }) => {
      const backend = await backendOnSharedDevice();
      const variant = rule.variant(options);
      const random = new Random(11);
      for (const others of modes) {
        for (const density of [0, 0.3, 1]) {
          const cases = (["plain", "f16"] as const).map((gradient): RowCase => ({
            ...randomCase(random, scalarsOf(variant, random)),
            rows: 50,
            gradient,
            mask: "array",
            others,
            density,
          }));
          const world = new RowWorld(backend, variant, random, cases);
          backend.compile(variant).run(world.updates, world.updates.length);
          expect({ others, density, ...(await world.findings()) }).toEqual({
            others,
            density,
            ...nothing,
          });
        }
      }
    },
  );

  test("1,000 random tensors: right inside, 0 bytes changed outside", async () => {
    const variant = adam().rule.variant();
    const random = new Random(5);
    let tensors = 0;
    for (let round = 0; round < 25; round += 1) {
      const backend = await backendOnSharedDevice();
      const groups = Array.from({ length: 20 }, () => scalarsOf(variant, random));
      const cases = Array.from({ length: 40 }, () => randomCase(random, groups[random.below(20)]));
      const world = new RowWorld(backend, variant, random, cases);
      backend.compile(variant).run(world.updates, world.updates.length);
      expect(await world.findings()).toEqual(nothing);
      tensors += cases.length;
      await backend.ready();
      backend.dispose();
    }
    expect(tensors).toBe(1000);
  });

  test.each([1024, 2048, 4096])("bindings of %i bytes: tensors are split by rows", async (size) => {
    const { device } = countingDevice(await freshDevice(), {
      maxStorageBufferBindingSize: size,
      maxComputeWorkgroupsPerDimension: 3,
    });
    const backend = webgpu({ device });
    const variant = adam().rule.variant();
    const random = new Random(size);
    for (let round = 0; round < 8; round += 1) {
      const cases = Array.from({ length: 3 }, () =>
        randomCase(random, scalarsOf(variant, random), 300),
      );
      const world = new RowWorld(backend, variant, random, cases);
      backend.compile(variant).run(world.updates, world.updates.length);
      expect(await world.findings()).toEqual(nothing);
    }
    await backend.ready();
  });
});
