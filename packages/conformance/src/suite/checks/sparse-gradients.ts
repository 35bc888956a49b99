import { type OptimizerSpec, type Rule, type Tensor, type Values } from "@gradstep/core";
import { snapshot } from "../../checker/snapshot.js";
import { assertSameAll, inCase } from "../assertions.js";
import type { Check, Context } from "../check.js";
import { choiceCount, randomSettings } from "../random/random-settings.js";
import { randomGradient, randomParameter } from "../random/random-values.js";
import { Random } from "../random/random.js";
import { elementwise, needsOf } from "../rule-needs.js";

/** Steps per rule. */
const steps = 4;

/**
 * A sparse gradient is another form of a gradient: the backend's own step with the gradient of all rows, or with a mask,
 * gives the same bits.
 */
export function sparseGradientChecks(rules: readonly Rule[]): readonly Check[] {
  return rules.flatMap((rule): Check[] => [
    {
      group: "sparse gradients",
      name: `${rule.name}, dense: the step with the sums of rows, and zeros elsewhere`,
      needs: needsOf(rule),
      run: (context) => compare(context, rule, "dense"),
    },
    {
      group: "sparse gradients",
      name: `${rule.name}, lazy: the step of the rows with a mask`,
      needs: [...needsOf(rule), "rows"],
      run: (context) => compare(context, rule, "lazy"),
    },
    ...(countsRowSteps(rule)
      ? [
          {
            group: "sparse gradients",
            name: `${rule.name}, rowSteps: each row is updated as by an optimizer of its own`,
            needs: [...needsOf(rule), "rows" as const, "rowSteps" as const],
            run: (context: Context) => compareRows(context, rule),
          },
        ]
      : []),
  ]);
}

async function compare(context: Context, rule: Rule, sparse: "dense" | "lazy"): Promise<void> {
  const random = Random.of(context.seed, `sparse ${rule.name}`, sparse === "lazy" ? 1 : 0);
  const settings = randomSettings(rule, random.integer(0, choiceCount(rule) - 1), random);
  try {
    await takeSteps(context, rule.specify(settings), sparse, random);
  } catch (error) {
    throw inCase(error, `${rule.name} ${JSON.stringify(settings)}, seed ${context.seed}`);
  }
}

async function takeSteps(
  { target, stats }: Context,
  spec: OptimizerSpec,
  sparse: "dense" | "lazy",
  random: Random,
): Promise<void> {
  const backend = await target.backend();
  const rows = random.chance(0.25) ? random.integer(100, 300) : random.integer(1, 40);
  const columns = random.integer(1, 9);
  const e = randomParameter(rows * columns, random);
  const w = randomParameter(7, random);
  const make = (): Readonly<Record<string, Tensor>> => ({
    w: backend.tensor([7], w),
    e: backend.tensor([rows, columns], e),
  });
  const [tensors, expected] = [make(), make()];
  const optimizer = target.create(spec, tensors, { sparse });
  const plain = target.create(spec, expected);
  for (let step = 1; step <= steps; step += 1) {
    const count = random.integer(0, random.chance(0.5) ? rows : 2 * rows);
    const list = random.chance(0.2)
      ? Uint32Array.from({ length: Math.min(count, rows) }, (_, i) => i)
      : Uint32Array.from({ length: count }, () => random.integer(0, rows - 1));
    const indices = random.chance(0.5) ? list : Int32Array.from(list);
    const values = randomGradient(list.length * columns, random);
    const wGradient = random.chance(0.5) ? undefined : randomGradient(7, random);
    const mask = Uint32Array.from({ length: 7 }, () => random.integer(0, 1));
    const masks =
      wGradient !== undefined && sparse === "lazy" && random.chance(0.5) ? { w: mask } : {};
    optimizer.step({ w: wGradient, e: { indices, values } }, { rows: masks });
    const rowsOfE = Uint32Array.from({ length: rows }, (_, row) => (list.includes(row) ? 1 : 0));
    plain.step(
      { w: wGradient, e: allRows(list, values, rows, columns) },
      { rows: sparse === "lazy" ? { ...masks, e: rowsOfE } : masks },
    );
    assertSameAll(
      await snapshot(optimizer, tensors),
      await snapshot(plain, expected),
      `${spec.rule.name}, step ${step}, with ${list.length} indices of ${rows} rows`,
    );
    stats.cases += 1;
  }
  optimizer.dispose();
  plain.dispose();
}

/** Whether rows of every variant can count their own steps. */
function countsRowSteps(rule: Rule): boolean {
  return (
    elementwise([rule]).length > 0 &&
    rule.variants().every(({ persistentScalars }) => Object.keys(persistentScalars).length === 0)
  );
}

/** Random steps of some rows with an optimizer, and of each row with another one. */
async function compareRows({ target, stats, seed }: Context, rule: Rule): Promise<void> {
  const random = Random.of(seed, `row steps ${rule.name}`);
  const settings = randomSettings(rule, random.integer(0, choiceCount(rule) - 1), random);
  const spec = rule.specify(settings);
  const backend = await target.backend();
  const rows = 6;
  const columns = random.integer(1, 5);
  const values = randomParameter(rows * columns, random);
  const e = backend.tensor([rows, columns], values);
  const optimizer = target.create(spec, { e }, { sparse: "lazy", rowSteps: true });
  const single = Array.from({ length: rows }, (_, row) => {
    const p = backend.tensor([1, columns], rowOf(values, row, columns));
    return { p, optimizer: target.create(spec, { p }) };
  });
  for (let step = 1; step <= 2 * steps; step += 1) {
    const kind = random.pick(["all", "mask", "list", "list"]);
    // Some rows are seen often, others seldom.
    const list = Array.from({ length: rows }, (_, row) => row).filter(
      (row) => kind === "all" || random.chance(row < 2 ? 0.9 : 0.4),
    );
    const indices = Uint32Array.from(random.sample(list, list.length));
    const gradient = randomGradient(rows * columns, random);
    if (kind === "all") optimizer.step({ e: gradient });
    else if (kind === "mask") {
      const mask = Uint32Array.from({ length: rows }, (_, row) => (list.includes(row) ? 1 : 0));
      optimizer.step({ e: gradient }, { rows: mask });
    } else {
      const listed = Float32Array.from(
        [...indices].flatMap((row) => [...rowOf(gradient, row, columns)]),
      );
      optimizer.step({ e: { indices, values: listed } });
    }
    for (const row of list) single[row].optimizer.step({ p: rowOf(gradient, row, columns) });
    const after = await snapshot(optimizer, { e });
    for (const [row, one] of single.entries()) {
      const { p: expected } = await snapshot(one.optimizer, { p: one.p });
      const got = Object.fromEntries(
        Object.entries(after.e).map(([name, all]) => [name, rowOf(all, row, columns)]),
      );
      assertSameAll({ e: got }, { e: expected }, `${rule.name}, step ${step}, row ${row}`);
    }
    stats.cases += 1;
  }
  optimizer.dispose();
}

function rowOf(values: Values, row: number, columns: number): Float32Array {
  return Float32Array.from(values.subarray(row * columns, (row + 1) * columns));
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
