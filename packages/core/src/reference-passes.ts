import type { RowList, Tensor, Update, Values } from "./backend/backend.js";
import {
  countOf,
  dimensionsOf,
  hasRowsOf,
  reducedIndex,
  type Dimensions,
} from "./backend/dimensions.js";
import { arraysOf } from "./backend/update-arrays.js";
import { bytecodeOf, type Bytecode } from "./language/bytecode.js";
import type { Extent } from "./language/extent.js";
import { interpret } from "./language/interpret.js";
import { newtonSchulz } from "./language/newton-schulz.js";
import type { Count, MapPass, Pass, Reduction } from "./language/passes.js";
import type { Program } from "./language/program.js";
import { joinPairwise, reduce, type ReduceOp } from "./language/summation.js";
import type { Variant } from "./rule/variant.js";

/** What the passes of a step compute with. An implementation other than the reference replaces parts of it. */
export interface PassArithmetic {
  /** A scalar or a count as it enters a program. */
  readonly scalar: (value: number) => number;
  /** Computes all nodes of a program, in place. */
  readonly evaluate: (program: Program, values: Float64Array) => void;
  /** Reduces the values at some positions; undefined for those that take no part. */
  readonly reduce: (
    op: ReduceOp,
    count: number,
    valueAt: (position: number) => number | undefined,
  ) => number;
  /** Joins the values of tensors. */
  readonly join: (op: ReduceOp, values: number[]) => number;
  /** The rounding of each operation of a Newton–Schulz iteration of these values. */
  readonly roundProducts: (values: Values) => (value: number) => number;
}

/** The arithmetic that the language defines, in f32 or in f64. */
export function definedArithmetic(rounded: boolean): PassArithmetic {
  const round: (value: number) => number = rounded ? Math.fround : (value) => value;
  const bytecodes = new WeakMap<Program, Bytecode>();
  return {
    scalar: round,
    evaluate: (program, values) => {
      let bytecode = bytecodes.get(program);
      if (bytecode === undefined) {
        bytecode = bytecodeOf(program);
        bytecodes.set(program, bytecode);
      }
      interpret(bytecode, values, rounded);
    },
    reduce: (op, count, valueAt) => reduce(op, count, valueAt, rounded),
    join: (op, values) => joinPairwise(op, values, values.length, rounded),
    roundProducts: () => round,
  };
}

/** A tensor of a step: its arrays, temporaries included, and what is selected. */
interface Target {
  readonly update: Update;
  readonly dimensions: Dimensions;
  /** By name; those of the extent `all` are shared. */
  readonly arrays: ReadonlyMap<string, Values>;
  /** Whether a value of this extent is in a row that the mask selects. */
  readonly isSelected: (extent: Extent, index: number) => boolean;
}

/** The updates of one rule in a step. */
export interface RuleRun {
  readonly variant: Variant;
  readonly updates: readonly Update[];
}

/** A run with its tensors, and what all of them share. */
interface PreparedRun extends RuleRun {
  readonly targets: readonly Target[];
  readonly extents: ReadonlyMap<string, Extent>;
  /** The temporaries of the extent `all`. */
  readonly shared: ReadonlyMap<string, Values>;
}

/** Executes the passes of some rules as one step: level by level, at each level those of all rules. */
export function runPasses(runs: readonly RuleRun[], arithmetic: PassArithmetic): void {
  const prepared = runs.map((run) => prepare(run, arithmetic));
  const last = Math.max(...runs.flatMap((run) => passesOf(run).map(({ level }) => level)));
  for (let level = 0; level <= last; level += 1) {
    for (const run of prepared) runLevel(run, level, arithmetic);
    for (const run of prepared) reduceAll(run, level, prepared, arithmetic);
  }
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
  const targets = run.updates.map((update) => targetOf(run.variant, update, shared, extents));
  for (const count of passPlan.counts) fillCount(count, targets, scalar);
  return { ...run, targets, extents, shared };
}

function runLevel(run: PreparedRun, level: number, arithmetic: PassArithmetic): void {
  const { variant, targets, extents } = run;
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
      runPass(variant, pass, target, extents, arithmetic);
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

/** Where a pass over tensors puts the operand of a reduction over all of them. */
function perTensor(name: string): string {
  return `${name} of a tensor`;
}

function targetOf(
  variant: Variant,
  update: Update,
  shared: ReadonlyMap<string, Values>,
  extents: ReadonlyMap<string, Extent>,
): Target {
  const { parameter } = update;
  const dimensions = dimensionsOf(parameter.shape, variant.matrices);
  const arrays = new Map<string, Values>([...arraysOf<Values>(variant, update), ...shared]);
  for (const [name, extent] of extents) {
    if (!name.startsWith("@")) continue;
    if (extent === "all") arrays.set(perTensor(name), new Float64Array(1));
    else arrays.set(name, new Float64Array(countOf(extent, dimensions)));
  }
  const rows = update.rows as RowList | undefined;
  if (rows !== undefined) arrays.set("g", gradientOfAllRows(arrays.get("g")!, rows, parameter));
  const mask =
    rows === undefined ? (update.mask as Uint32Array | undefined) : maskOf(rows, parameter);
  const isSelected = (extent: Extent, index: number): boolean => {
    if (mask === undefined || extent === "all" || extent === "step") return true;
    if (!hasRowsOf(extent, parameter.shape, variant.matrices)) return true;
    const perRow = countOf(extent, dimensions) / (parameter.shape[0] ?? 1);
    return mask[Math.floor(index / perRow)] !== 0;
  };
  return { update, dimensions, arrays, isSelected };
}

function maskOf({ indices, start, end }: RowList, { shape }: Tensor): Uint32Array {
  const mask = new Uint32Array(shape[0]);
  for (let i = start; i < end; i += 1) mask[indices[i]] = 1;
  return mask;
}

/** The gradient of listed rows, each where its row is. */
function gradientOfAllRows(
  gradient: Values,
  { indices, gradientRows, start, end }: RowList,
  { shape, size }: Tensor,
): Values {
  const columns = size / shape[0];
  const all = new Float64Array(size);
  for (let i = start; i < end; i += 1)
    for (let j = 0; j < columns; j += 1)
      all[indices[i] * columns + j] = gradient[gradientRows[i] * columns + j];
  return all;
}

function coefficient({ scalars }: Variant, update: Update, value: number | string): number {
  return typeof value === "number" ? value : update.scalars[scalars.indexOf(value)];
}

/** The number of values that take part in a reduction. */
function fillCount(
  { name, of, per }: Count,
  targets: readonly Target[],
  scalar: PassArithmetic["scalar"],
): void {
  let total = 0;
  for (const target of targets) {
    const { arrays, dimensions } = target;
    const counts = new Float64Array(countOf(per, dimensions));
    for (let i = 0; i < countOf(of, dimensions); i += 1)
      if (takesPart(target, of, i)) counts[reducedIndex(of, per, i, dimensions)] += 1;
    total += counts[0];
    if (per !== "all")
      counts.forEach((value, i) => {
        arrays.get(name)![i] = scalar(value);
      });
  }
  if (per === "all" && targets.length > 0) targets[0].arrays.get(name)![0] = scalar(total);
}

/** Rows that a mask leaves out take no part, unless they are updated by a gradient of 0. */
function takesPart({ isSelected, update }: Target, extent: Extent, index: number): boolean {
  return isSelected(extent, index) || update.unselectedRows !== "keep";
}

function runPass(
  { scalars }: Variant,
  { over, program, reductions }: MapPass,
  target: Target,
  extents: ReadonlyMap<string, Extent>,
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
    else reduceInto(arrays.get(name)!, reduction, over, operands[k], target, arithmetic);
  });
}

/** Reduces the values of a pass to one per row, column or tensor. */
function reduceInto(
  result: Values,
  { op, over }: Reduction,
  of: Extent,
  operands: Float64Array,
  target: Target,
  arithmetic: PassArithmetic,
): void {
  const { matrices, rows, columns } = target.dimensions;
  const valueAt = (index: number): number | undefined =>
    takesPart(target, of, index) ? operands[index] : undefined;
  if (over === "row") {
    for (let r = 0; r < matrices * rows; r += 1)
      result[r] = arithmetic.reduce(op, columns, (c) => valueAt(r * columns + c));
  } else if (over === "column") {
    for (let m = 0; m < matrices; m += 1)
      for (let c = 0; c < columns; c += 1)
        result[m * columns + c] = arithmetic.reduce(op, rows, (r) =>
          valueAt((m * rows + r) * columns + c),
        );
  } else result[0] = arithmetic.reduce(op, operands.length, valueAt);
}
