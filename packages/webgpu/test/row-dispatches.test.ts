import { expect, test } from "vitest";
import { cases, seed } from "../../../testing/cases.js";
import { planSegmentDispatches } from "../src/planning/dispatch/segment-dispatches.js";
import { planRowDispatches } from "../src/planning/rows/row-dispatches.js";
import type { RowItem } from "../src/planning/rows/row-item.js";
import { Random } from "./random.js";
import { kernels, randomStep } from "./random-row-step.js";
import { Arena, visitsOf } from "./row-shader.js";

function hasGaps({ locations }: RowItem): boolean {
  return [...locations.values()].some(({ stride, width }) => stride !== width);
}

test.each([
  ["bindings of 1,024 bytes", 1024, false],
  ["all arrays in one buffer", 2 ** 20, true],
])(
  `each row finds its values, gradients, masks and copies: %s (seed ${seed})`,
  (_, maxBindingSize, isShared) => {
    const random = new Random(seed);
    const limits = { maxBindingSize, alignment: 256 };
    const wrong: object[] = [];
    for (let round = 0; round < cases(2000, 80); round += 1) {
      const kernel = kernels[random.below(6) % kernels.length];
      const { items, expected } = randomStep(random, kernel, isShared);
      const visits = visitsOf(kernel, planRowDispatches(items, limits), limits);
      // A bare comparison: `expect` for each place would take most of the time.
      for (const place of new Set([...visits.keys(), ...expected.keys()])) {
        const [got, wanted] = [visits.get(place), expected.get(place)].map(String);
        if (got !== wanted) wrong.push({ round, place, got, wanted });
      }
    }
    expect(wrong.slice(0, 3)).toEqual([]);
  },
);

test("tensors in other buffers have a dispatch without the features that they do not need", () => {
  const kernel = kernels[1];
  const all = Array.from({ length: 20 }, (_, i) => randomStep(new Random(seed + i), kernel, false));
  const plain = all.flatMap(({ items }) => items).filter(({ item }) => !hasGaps(item));
  const strided = all.flatMap(({ items }) => items).filter(({ item }) => hasGaps(item));
  const limits = { maxBindingSize: 2 ** 20, alignment: 256 };
  const layouts = planRowDispatches([plain[0], strided[0]], limits).map(({ layout }) => layout);
  expect(new Set(layouts.map(({ strides }) => strides)).size).toBe(2);
});

test("a dispatch has at most sixteen sets of scalars", () => {
  const buffer = new Arena("a") as unknown as GPUBuffer;
  const segments = Array.from({ length: 17 }, (_, k) => ({
    spans: [{ buffer, low: 4 * k, high: 4 * k + 4 }],
    count: 1,
    scalars: Float64Array.of(k),
    parametersAt: () => [],
  }));
  const limits = { maxBindingSize: 1024, alignment: 256 };
  const dispatches = planSegmentDispatches([...segments, segments[16]], limits);
  expect(dispatches.map(({ scalarSets }) => scalarSets.length)).toEqual([16, 1]);
});
