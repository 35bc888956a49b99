import type { Update } from "../backend/backend.js";
import type { Values } from "../backend/memory.js";
import { GradstepError, show } from "../errors.js";
import { isArray } from "../argument-checks/is-array.js";
import { countOf, reducedIndex, type Dimensions } from "../language/dimensions.js";
import type { Extent } from "../language/extent.js";
import { newtonSchulz } from "../language/newton-schulz.js";
import type { MapPass, Pass, Reduction } from "../language/passes.js";
import { propertyOf } from "../argument-checks/property-of.js";
import type { Variant } from "../rule/variant.js";
import type { PassArithmetic } from "./pass-arithmetic.js";
import { fillCount, passTarget, perTensor, takesPart, type PassTarget } from "./pass-target.js";

/** The updates of one rule in a step. */
export interface RuleRun {
  readonly variant: Variant;
  readonly updates: readonly Update[];
}

/** A run with its tensors, and what all of them share. */
interface PreparedRun extends RuleRun {
  readonly targets: readonly PassTarget[];
  readonly extents: ReadonlyMap<string, Extent>;
  /** The temporaries of the extent `all`. */
  readonly shared: ReadonlyMap<string, Values>;
}

/**
 * Executes the passes of some rules as one step: level by level, at each level those of all rules.
 * @throws {GradstepError} `INVALID_PARAMETER` for what is not a list of runs, or no arithmetic
 */
export function runPasses(runs: readonly RuleRun[], arithmetic: PassArithmetic): void {
  if (
    !isArray(runs) ||
    !runs.every(isRun) ||
    typeof propertyOf(arithmetic, "scalar") !== "function"
  )
    throw new GradstepError(
      `runPasses: got ${show(runs)} and ${show(arithmetic)}; expected runs, as [{ variant, updates }], and an arithmetic, such as definedArithmetic("f32").`,
      { code: "INVALID_PARAMETER" },
    );
  const prepared = runs.map((run) => prepare(run, arithmetic));
  const last = Math.max(...runs.flatMap((run) => passesOf(run).map(({ level }) => level)));
  for (let level = 0; level <= last; level += 1) {
    for (const run of prepared) runLevel(run, level, arithmetic);
    for (const run of prepared) reduceAll(run, level, prepared, arithmetic);
  }
}

function isRun(run: unknown): boolean {
  const passes = propertyOf(propertyOf(propertyOf(run, "variant"), "passPlan"), "passes");
  return isArray(passes) && isArray(propertyOf(run, "updates"));
}

function passesOf({ variant }: RuleRun): readonly Pass[] {
  return variant.passPlan.passes;
}

function prepare(run: RuleRun, { scalar }: PassArithmetic): PreparedRun {
  const { passPlan, slots } = run.variant;
  const extents = new Map<string, Extent>([
    ["p", "element"],
    ["g", "element"],
    ...slots.map(({ name, extent }) => [name, extent] as const),
    ...passPlan.temporaries.map(({ name, extent }) => [name, extent] as const),
    ...passPlan.counts.map(({ name, per }) => [name, per] as const),
  ]);
  const shared = new Map<string, Values>(
    [...extents].flatMap(([name, extent]) =>
      extent === "all" && name.startsWith("@") ? [[name, new Float64Array(1)]] : [],
    ),
  );
  const targets = run.updates.map((update) => passTarget(run.variant, update, shared, extents));
  for (const count of passPlan.counts) fillCount(count, targets, scalar);
  return { ...run, targets, extents, shared };
}

function runLevel(run: PreparedRun, level: number, arithmetic: PassArithmetic): void {
  const { variant, targets } = run;
  for (const pass of passesOf(run)) {
    if (pass.level !== level) continue;
    if (pass.kind === "newtonSchulz") {
      for (const { arrays, dimensions, update } of targets) {
        const coefficients = pass.coefficients.map((one) =>
          arithmetic.scalar(coefficient(variant, update, one)),
        );
        const from = arrays.get(pass.from)!;
        const round = arithmetic.roundProducts(from);
        newtonSchulz(from, arrays.get(pass.to)!, dimensions, coefficients, round);
      }
      continue;
    }
    // A pass over all tensors has one index, and the scalars of the first of them.
    for (const target of pass.over === "all" ? targets.slice(0, 1) : targets)
      runPass(run, pass, target, arithmetic);
  }
}

/** Reduces over all tensors what the passes of a level found. A key stands for the same reduction in another run. */
function reduceAll(
  run: PreparedRun,
  level: number,
  runs: readonly PreparedRun[],
  arithmetic: PassArithmetic,
): void {
  for (const { name, op } of reductionsOver(run, level)) {
    const key = keyOf(run, name);
    const values = runs.flatMap((other) => {
      const same =
        other === run
          ? name
          : reductionsOver(other, level).find(
              (one) => key !== undefined && keyOf(other, one.name) === key,
            )?.name;
      return same === undefined
        ? []
        : other.targets.map(({ arrays }) => arrays.get(perTensor(same))![0]);
    });
    run.shared.get(name)![0] = arithmetic.join(op, values);
  }
}

/** The reductions over all tensors in the passes of a level. */
function reductionsOver(run: RuleRun, level: number): readonly Reduction[] {
  return passesOf(run).flatMap((pass) =>
    pass.kind === "map" && pass.level === level
      ? pass.reductions.filter(({ over }) => over === "all")
      : [],
  );
}

function keyOf({ variant }: RuleRun, name: string): string | undefined {
  return variant.passPlan.temporaries.find((one) => one.name === name)?.key;
}

function coefficient({ scalars }: Variant, update: Update, value: number | string): number {
  return typeof value === "number" ? value : update.scalars[scalars.indexOf(value)];
}

function runPass(
  { variant: { scalars }, extents }: PreparedRun,
  { over, program, reductions }: MapPass,
  target: PassTarget,
  arithmetic: PassArithmetic,
): void {
  const { update, dimensions, arrays, isSelected } = target;
  const values = new Float64Array(program.nodes.length);
  const loads: { readonly array: Values; readonly node: number; readonly extent: Extent }[] = [];
  for (const { name, node } of program.inputs) {
    const array = arrays.get(name);
    if (array !== undefined) loads.push({ array, node, extent: extents.get(name)! });
    else {
      values[node] = arithmetic.scalar(update.scalars[scalars.indexOf(name)]);
    }
  }
  const gradient = program.inputs.find(({ name }) => name === "g")?.node;
  const count = countOf(over, dimensions);
  /** The operand of each reduction, by index. */
  const operands = reductions.map(() => new Float64Array(count));
  for (let i = 0; i < count; i += 1) {
    const selected = isSelected(over, i);
    if (!takesPart(target, over, i)) {
      for (const { name } of program.outputs)
        if (name.startsWith("@operand")) arrays.get(name)![i] = 0;
      continue;
    }
    for (const { array, node, extent } of loads)
      values[node] = array[reducedIndex(over, extent, i, dimensions)];
    if (!selected && gradient !== undefined) values[gradient] = 0;
    arithmetic.evaluate(program, values);
    for (const { name, node } of program.outputs) {
      const reduction = reductions.findIndex((one) => one.name === name);
      if (reduction >= 0) operands[reduction][i] = values[node];
      else if (selected || update.unselectedRows === "zero" || name !== "p")
        arrays.get(name)![i] = values[node];
    }
  }
  reductions.forEach((reduction, k) => {
    const name = reduction.over === "all" ? perTensor(reduction.name) : reduction.name;
    if (reduction.over === "all") arrays.get(name)![0] = operands[k][0];
    else {
      const valueAt = (index: number): number | undefined =>
        takesPart(target, over, index) ? operands[k][index] : undefined;
      reduceInto(arrays.get(name)!, reduction, { dimensions, count, valueAt }, arithmetic);
    }
  });
}

/** The operand of a reduction in a tensor. */
interface Operand {
  readonly dimensions: Dimensions;
  readonly count: number;
  /** Undefined for a value that takes no part. */
  readonly valueAt: (index: number) => number | undefined;
}

/** Reduces the values of a pass to one per row, column or tensor. */
function reduceInto(
  result: Values,
  { op, over }: Reduction,
  { dimensions, count, valueAt }: Operand,
  arithmetic: PassArithmetic,
): void {
  const { matrices, rows, columns } = dimensions;
  if (over === "row") {
    for (let r = 0; r < matrices * rows; r += 1)
      result[r] = arithmetic.reduce(op, columns, (c) => valueAt(r * columns + c));
  } else if (over === "column") {
    for (let m = 0; m < matrices; m += 1)
      for (let c = 0; c < columns; c += 1)
        result[m * columns + c] = arithmetic.reduce(op, rows, (r) =>
          valueAt((m * rows + r) * columns + c),
        );
  } else result[0] = arithmetic.reduce(op, count, valueAt);
}
