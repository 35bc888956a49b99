import {
  chain,
  clipByGlobalNorm,
  createOptimizer,
  defineRule,
  nonNegative,
  type Matrices,
  type OptimizerSpec,
  type Tensor,
} from "@gradstep/core";
import { slotShape } from "@gradstep/core/internal";
import { expect, test } from "vitest";
import { cases, seed } from "../../../testing/cases.js";
import { bufferOf, describe, newBackend, wordsOf } from "./gpu.js";
import { Random } from "./random.js";

const extents = ["element", "row", "column"] as const;

/** A rule with slots per element, row and column, of which one of each depends on another extent. */
function ruleOf(matrices: Matrices): OptimizerSpec {
  return defineRule({
    name: `slots-of-${matrices}`,
    hyperparameters: { learningRate: nonNegative(0.1) },
    slots: {
      element: 0.25,
      row: { extent: "row", initial: 0.5 },
      column: { extent: "column", initial: 1 },
    },
    matrices,
    perElement: `
      row = row * 0.5 + meanRow(g * g)
      column = column * 0.5 + meanColumn(abs(g) * row)
      element = element * 0.5 + g / (1 + row + column)
      u = element * learningRate
    `,
  }).rule.specify({});
}

/** Two of these have rows of slots that are not the parameter's, with and without several values. */
const shapes: readonly (readonly [shape: readonly number[], matrices: Matrices])[] = [
  [[7], "first"],
  [[7, 5], "first"],
  [[6, 2, 5], "first"],
  [[6, 3, 5], "last"],
  [[2, 3, 4, 5], "last"],
];

describe(`slots in caller-owned memory (seed ${seed})`, () => {
  test.each(shapes)(
    "a parameter of shape %j, matrices %s: any gaps, the bits of plain slots, and no other bytes change",
    async (shape, matrices) => {
      const backend = await newBackend();
      const random = new Random(seed);
      const spec =
        random.below(2) === 0 ? ruleOf(matrices) : chain(clipByGlobalNorm(1), ruleOf(matrices));
      for (let round = 0; round < cases(20, 2); round += 1) {
        const size = shape.reduce((product, length) => product * length, 1);
        const names = ["first", "second"];
        const plain: Record<string, Tensor> = {};
        const given: Record<string, Tensor> = {};
        const slots: Record<string, Record<string, Tensor>> = {};
        const fields: { offset: number; shape: readonly number[]; rowStride: number }[] = [];
        let end = 0;
        const place = (own: readonly number[]): { offset: number; rowStride: number } => {
          const rows = own[0] ?? 1;
          const columns = own.reduce((product, length) => product * length, 1) / rows;
          const field = {
            offset: end + random.below(4),
            shape: own,
            rowStride: columns + random.below(4),
          };
          fields.push(field);
          end = field.offset + (rows - 1) * field.rowStride + columns + random.below(3);
          return field;
        };
        const placed = names.map((name) => ({
          name,
          values: random.values(size),
          slots: extents.map((extent) => {
            const own = slotShape(extent, shape, matrices);
            return [extent, { shape: own, ...place(own) }] as const;
          }),
        }));
        const before = random.values(end);
        const buffer = bufferOf(backend.device, before);
        for (const { name, values, slots: own } of placed) {
          plain[name] = backend.tensor(shape, values);
          given[name] = backend.tensor(shape, values);
          slots[name] = Object.fromEntries(
            own.map(([extent, options]) => [extent, backend.wrap(buffer, options)]),
          );
        }
        const expected = createOptimizer(spec, plain);
        const actual = createOptimizer(spec, given, { slots });
        actual.reset();
        for (let step = 0; step < 3; step += 1) {
          const gradients = Object.fromEntries(names.map((name) => [name, random.values(size)]));
          const options =
            step === 1
              ? { rows: Uint32Array.from({ length: shape[0] }, () => random.below(2)) }
              : {};
          expected.step(gradients, options);
          actual.step(gradients, options);
        }
        for (const name of names)
          expect(await given[name].read()).toEqual(await plain[name].read());
        expect((await actual.state()).slots).toEqual((await expected.state()).slots);
        const own = new Set(
          fields.flatMap(({ offset, shape: [rows = 1, ...rest], rowStride }) =>
            Array.from({ length: rows }, (_, row) =>
              Array.from(
                { length: rest.reduce((product, length) => product * length, 1) },
                (__, column) => offset + row * rowStride + column,
              ),
            ).flat(),
          ),
        );
        const after = new Float32Array((await wordsOf(backend.device, buffer)).buffer);
        expect(after.filter((_, i) => !own.has(i))).toEqual(before.filter((_, i) => !own.has(i)));
        for (const one of [expected, actual]) one.dispose();
      }
    },
  );
});
