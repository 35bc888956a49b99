import {
  adagrad,
  chain,
  ema,
  type Matrices,
  type OptimizerSpec,
  type ResetOptions,
  type SlotExtent,
  type Tensor,
  type Values,
  sizeOf,
} from "@gradstep/core";
import { snapshot, type Snapshot } from "../../checker/snapshot.js";
import { assertEqual, assertSameAll, inCase } from "../assertions.js";
import type { Check, Context } from "../check.js";
import { randomReducingRule } from "../random/random-reducing-rule.js";
import { randomGradient, randomParameter, randomShape } from "../random/random-values.js";
import { Random } from "../random/random.js";

const group = "reset";

/** `reset` gives the slots of some parameters, rows and columns their first values, and changes nothing else. */
export const resetChecks: readonly Check[] = [
  {
    group,
    name: "slots with a value per element",
    run: (context) => resetCases(context, 8, () => adagrad({ initialAccumulatorValue: 0.25 })),
  },
  {
    group,
    name: "slots that start as a copy of their parameter",
    needs: ["copies"],
    run: (context) => resetCases(context, 8, () => chain(adagrad(), ema(0.5))),
  },
  {
    group,
    name: "slots of every extent",
    needs: ["reductions", "copies"],
    run: (context) =>
      resetCases(context, 12, (random, i) =>
        randomReducingRule(`reset-${i}`, random, { copies: true, maxSlots: 4 }).specify({}),
      ),
  },
];

async function resetCases(
  context: Context,
  least: number,
  specOf: (random: Random, index: number) => OptimizerSpec,
): Promise<void> {
  const { rows, reductions } = context.target;
  const hasRows = rows !== false && (await context.target.backend()).remap !== undefined;
  // Columns are selected by a value per column.
  const hasColumns = reductions !== false;
  const count = Math.min(Math.max(least, Math.ceil(context.cases / 40)), context.maxKernels);
  for (let i = 0; i < count; i += 1) {
    const random = Random.of(context.seed, `reset ${least}`, i);
    const spec = specOf(random, i);
    try {
      await resetCase(context, spec, { hasRows, hasColumns }, random);
    } catch (error) {
      throw inCase(error, `${spec.rule.name}, case ${i}, seed ${context.seed}`);
    }
    context.stats.cases += 1;
  }
}

interface Capabilities {
  readonly hasRows: boolean;
  readonly hasColumns: boolean;
}

async function resetCase(
  context: Context,
  spec: OptimizerSpec,
  capabilities: Capabilities,
  random: Random,
): Promise<void> {
  const shared = shapeWithRows(random);
  const shapes: Record<string, readonly number[]> = {
    first: shared,
    second: random.chance(0.5) ? shared : shapeWithRows(random),
    third: randomShape(40, random),
  };
  const values = (of: typeof randomParameter): Record<string, Float32Array> =>
    Object.fromEntries(
      Object.entries(shapes).map(([name, shape]) => [name, of(sizeOf(shape), random)]),
    );
  const initial = values(randomParameter);
  const gradients = [values(randomGradient), values(randomGradient)];
  const named = random.pick([["first"], ["first", "second"], Object.keys(shapes)]);
  const options = randomOptions(
    named.map((name) => shapes[name]),
    capabilities,
    random,
  );
  // All are meant, too, if none is named.
  const names = named.length === 3 && random.chance(0.5) ? undefined : named;
  const start = async () => {
    const backend = await context.target.backend();
    const parameters: Record<string, Tensor> = {};
    for (const [name, shape] of Object.entries(shapes))
      parameters[name] = backend.tensor(shape, initial[name]);
    return { parameters, optimizer: context.target.create(spec, parameters) };
  };

  const { parameters, optimizer } = await start();
  optimizer.step(gradients[0]);
  const before = await snapshot(optimizer, parameters);
  const state = await optimizer.state();
  optimizer.reset(names, options);
  const after = await snapshot(optimizer, parameters);
  const what = `${spec.rule.name}, step 1, then reset(${Object.keys(options).join(", ")})`;
  assertSameAll(after, expectedValues(spec, shapes, before, { names: named, ...options }), what);
  assertEqual(
    { ...(await optimizer.state()), slots: {} },
    { ...state, slots: {} },
    `${what}, the rest of the state`,
  );

  optimizer.step(gradients[1]);
  const stepped = await snapshot(optimizer, parameters);
  const unread = await start();
  unread.optimizer.step(gradients[0]);
  unread.optimizer.reset(names, options);
  unread.optimizer.step(gradients[1]);
  const got = await snapshot(unread.optimizer, unread.parameters);
  assertSameAll(got, stepped, `${what}, with nothing read, and step 2`);

  const { rows: _, ...allRows } = options;
  unread.optimizer.reset(named, allRows);
  assertSameAll(
    await snapshot(unread.optimizer, unread.parameters),
    expectedValues(spec, shapes, stepped, { names: named, ...allRows }),
    `${what}, step 2, then a reset of all rows`,
  );
}

/** What a call of `reset` is given. */
interface Reset extends ResetOptions {
  readonly names: readonly string[];
}

/** Parameters and slots after a reset: a value that belongs to several elements is reset if all of them are. */
function expectedValues(
  { rule, options: choices, hyperparameters }: OptimizerSpec,
  shapes: Readonly<Record<string, readonly number[]>>,
  before: Readonly<Record<string, Snapshot>>,
  { names, rows, columns: [from, to] = [0, Infinity] }: Reset,
): Record<string, Snapshot> {
  const { slots, matrices } = rule.variant(choices);
  const isSelected = (name: string, element: number): boolean => {
    const width = sizeOf(shapes[name].slice(1));
    const column = element % width;
    const row = Math.floor(element / width);
    const isInRow = rows === undefined || (rows as Uint32Array)[row] !== 0;
    return names.includes(name) && isInRow && column >= from && column < to;
  };
  return Object.fromEntries(
    Object.entries(before).map(([name, tensors]) => {
      const expected: Record<string, Values> = { ...tensors };
      for (const slot of slots.filter(({ isMetric }) => !isMetric)) {
        const { extent, initial } = slot;
        const isReset = new Uint8Array(tensors[slot.name].length).fill(1);
        for (const other of extent === "all" ? Object.keys(shapes) : [name]) {
          const shape = shapes[other];
          const indexOf = slotIndex(extent, shape, matrices);
          // Rows of a mask are never all rows.
          const isOfAllRows = indexOf(0) === indexOf(sizeOf(shape.slice(1)));
          for (let i = 0; i < sizeOf(shape); i += 1)
            if (!isSelected(other, i) || (isOfAllRows && rows !== undefined))
              isReset[indexOf(i)] = 0;
        }
        const first =
          typeof initial === "number" ? initial : (hyperparameters[initial] as number | undefined);
        expected[slot.name] = tensors[slot.name].map((value, i) =>
          isReset[i] === 0 ? value : (first ?? tensors.p[i]),
        );
      }
      return [name, expected];
    }),
  );
}

/** The index, in a slot, of the value that belongs to an element. */
function slotIndex(
  extent: SlotExtent,
  shape: readonly number[],
  matrices: Matrices,
): (element: number) => number {
  const isBatch = matrices === "last" && shape.length > 2;
  const columns = isBatch ? shape.at(-1)! : sizeOf(shape.slice(1));
  const rows = isBatch ? shape.at(-2)! : (shape[0] ?? 1);
  if (extent === "element") return (i) => i;
  if (extent === "row") return (i) => Math.floor(i / columns);
  if (extent === "column") return (i) => Math.floor(i / (rows * columns)) * columns + (i % columns);
  return () => 0;
}

function shapeWithRows(random: Random): readonly number[] {
  const shape = randomShape(40, random);
  return shape.length === 0 ? [3] : shape;
}

/** Rows and columns that all of these shapes have. */
function randomOptions(
  shapes: readonly (readonly number[])[],
  { hasRows, hasColumns }: Capabilities,
  random: Random,
): ResetOptions {
  if (shapes.some((shape) => shape.length === 0)) return {};
  const counts = new Set(shapes.map(([rows]) => rows));
  const [rows] = counts;
  const width = Math.min(...shapes.map((shape) => sizeOf(shape.slice(1))));
  const from = random.integer(0, width - 1);
  return {
    ...(hasRows && counts.size === 1 && random.chance(0.5)
      ? { rows: Uint32Array.from({ length: rows }, () => random.integer(0, 2)) }
      : {}),
    ...(hasColumns && random.chance(0.6)
      ? { columns: [from, random.integer(from + 1, width)] as const }
      : {}),
  };
}
