import { type OptimizerSpec, type Rule, type Tensor } from "@gradstep/core";
import { snapshot } from "../../checker/snapshot.js";
import { assertSameAll, inCase } from "../assertions.js";
import type { Check, Context } from "../check.js";
import { choiceCount, randomSettings } from "../random/random-settings.js";
import { randomGradient, randomParameter } from "../random/random-values.js";
import { Random } from "../random/random.js";
import { needsOf } from "../rule-needs.js";

/** Steps per rule. */
const steps = 4;

/** A sparse gradient is a way to pass a gradient: the backend's own step with that of all rows gives the same bits. */
export function sparseGradientChecks(rules: readonly Rule[]): readonly Check[] {
  return rules.map((rule): Check => ({
    group: "sparse gradients",
    name: `${rule.name}: the step with the sums of rows, and zeros elsewhere`,
    needs: needsOf(rule),
    run: async (context) => {
      const random = Random.of(context.seed, `sparse ${rule.name}`);
      const settings = randomSettings(rule, random.integer(0, choiceCount(rule) - 1), random);
      try {
        await compare(context, rule.specify(settings), random);
      } catch (error) {
        throw inCase(error, `${rule.name} ${JSON.stringify(settings)}, seed ${context.seed}`);
      }
    },
  }));
}

async function compare(
  { target, stats }: Context,
  spec: OptimizerSpec,
  random: Random,
): Promise<void> {
  const backend = await target.backend();
  const rows = random.integer(1, 40);
  const columns = random.integer(1, 9);
  const e = randomParameter(rows * columns, random);
  const w = randomParameter(7, random);
  const make = (): Readonly<Record<string, Tensor>> => ({
    w: backend.tensor([7], w),
    e: backend.tensor([rows, columns], e),
  });
  const [tensors, expected] = [make(), make()];
  const optimizer = target.create(spec, tensors);
  const plain = target.create(spec, expected);
  for (let step = 1; step <= steps; step += 1) {
    const count = random.integer(0, 2 * rows);
    const list = Uint32Array.from({ length: count }, () => random.integer(0, rows - 1));
    const indices = random.chance(0.5) ? list : Int32Array.from(list);
    const values = randomGradient(count * columns, random);
    const gradient = random.chance(0.5) ? undefined : randomGradient(7, random);
    optimizer.step({ w: gradient, e: { indices, values } });
    plain.step({ w: gradient, e: allRows(list, values, rows, columns) });
    assertSameAll(
      await snapshot(optimizer, tensors),
      await snapshot(plain, expected),
      `${spec.rule.name}, step ${step}, with ${count} indices of ${rows} rows`,
    );
    stats.cases += 1;
  }
  optimizer.dispose();
  plain.dispose();
}

/** The gradient of all rows: values of the same row are added in their order, in f32. */
function allRows(
  indices: Uint32Array,
  values: Float32Array,
  rows: number,
  columns: number,
): Float32Array {
  const sums = Array.from({ length: rows }, (): number[] | undefined => undefined);
  indices.forEach((row, i) => {
    const added = [...values.subarray(i * columns, (i + 1) * columns)];
    const sum = sums[row];
    sums[row] = sum === undefined ? added : sum.map((value, j) => Math.fround(value + added[j]));
  });
  return Float32Array.from(sums.flatMap((sum) => sum ?? Array.from({ length: columns }, () => 0)));
}
