import type { Update, Values } from "./backend/backend.js";
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
import { joinPairwise, reduce } from "./language/summation.js";
import type { Variant } from "./rule/variant.js";

/** A pass with its bytecode. Matrix passes have none. */
interface CompiledPass {
  readonly pass: Pass;
  readonly bytecode: Bytecode | undefined;
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

/** The bytecode of each pass of a variant. */
export function compileSchedule({ schedule }: Variant): readonly CompiledPass[] {
  return schedule.passes.map((pass) => ({
    pass,
    bytecode: pass.kind === "map" ? bytecodeOf(pass.program) : undefined,
  }));
}

/** The updates of one rule in a step. */
export interface ScheduleRun {
  readonly variant: Variant;
  readonly passes: readonly CompiledPass[];
  readonly updates: readonly Update[];
}

/** A run with its tensors, and what all of them share. */
interface PreparedRun extends ScheduleRun {
  readonly targets: readonly Target[];
  readonly extents: ReadonlyMap<string, Extent>;
  /** The temporaries of the extent `all`. */
  readonly shared: ReadonlyMap<string, Values>;
}

/** Executes the passes of some rules as one step: level by level, at each level those of all rules. */
export function runSchedules(runs: readonly ScheduleRun[], rounded: boolean): void {
  const prepared = runs.map((run) => prepare(run, rounded));
  const last = Math.max(...runs.flatMap(({ passes }) => passes.map(({ pass }) => pass.level)));
  for (let level = 0; level <= last; level += 1) {
    for (const run of prepared) runLevel(run, level, rounded);
    for (const run of prepared) reduceAll(run, level, prepared, rounded);
  }
}

function prepare(run: ScheduleRun, rounded: boolean): PreparedRun {
  const { schedule, slots } = run.variant;
  const extents = new Map<string, Extent>([
    ["p", "element"],
    ["g", "element"],
    ...slots.map(({ name, extent }) => [name, extent] as const),
    ...schedule.temporaries.map(({ name, extent }) => [name, extent] as const),
    ...schedule.counts.map(({ name, per }) => [name, per] as const),
  ]);
  const shared = new Map<string, Values>(
    [...extents].flatMap(([name, extent]) =>
      extent === "all" && name.startsWith("@") ? [[name, new Float64Array(1)]] : [],
    ),
  );
  const targets = run.updates.map((update) => targetOf(run.variant, update, shared, extents));
  for (const count of schedule.counts) fillCount(count, targets, rounded);
  return { ...run, targets, extents, shared };
}

function runLevel(
  { variant, passes, targets, extents }: PreparedRun,
  level: number,
  rounded: boolean,
): void {
  for (const { pass, bytecode } of passes) {
    if (pass.level !== level) continue;
    if (pass.kind === "newtonSchulz") {
      for (const { arrays, dimensions, update } of targets) {
        const coefficients = pass.coefficients.map((one) =>
          coefficient(variant, update, one, rounded),
        );
        newtonSchulz(
          arrays.get(pass.from)!,
          arrays.get(pass.to)!,
          dimensions,
          coefficients,
          rounded ? Math.fround : (value) => value,
        );
      }
      continue;
    }
    // A pass over all tensors has one index, and the scalars of the first of them.
    for (const target of pass.over === "all" ? targets.slice(0, 1) : targets)
      runPass(variant, pass, bytecode!, target, extents, rounded);
  }
}

/** Reduces over all tensors what the passes of a level found. A key stands for the same reduction in another run. */
function reduceAll(
  run: PreparedRun,
  level: number,
  runs: readonly PreparedRun[],
  rounded: boolean,
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
    run.shared.get(name)![0] = joinPairwise(op, values, values.length, rounded);
  }
}

/** The reductions over all tensors in the passes of a level. */
function reductionsOver({ passes }: ScheduleRun, level: number): readonly Reduction[] {
  return passes.flatMap(({ pass }) =>
    pass.kind === "map" && pass.level === level
      ? pass.reductions.filter(({ over }) => over === "all")
      : [],
  );
}

function keyOf({ variant }: ScheduleRun, name: string): string | undefined {
  return variant.schedule.temporaries.find((one) => one.name === name)?.key;
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
  const mask = update.mask as Uint32Array | undefined;
  const isSelected = (extent: Extent, index: number): boolean => {
    if (mask === undefined || extent === "all" || extent === "step") return true;
    if (!hasRowsOf(extent, parameter.shape, variant.matrices)) return true;
    const perRow = countOf(extent, dimensions) / (parameter.shape[0] ?? 1);
    return mask[Math.floor(index / perRow)] !== 0;
  };
  return { update, dimensions, arrays, isSelected };
}

function coefficient(
  { scalars }: Variant,
  update: Update,
  value: number | string,
  rounded: boolean,
): number {
  const exact = typeof value === "number" ? value : update.scalars[scalars.indexOf(value)];
  return rounded ? Math.fround(exact) : exact;
}

/** The number of values that take part in a reduction. */
function fillCount({ name, of, per }: Count, targets: readonly Target[], rounded: boolean): void {
  let total = 0;
  for (const target of targets) {
    const { arrays, dimensions } = target;
    const counts = new Float64Array(countOf(per, dimensions));
    for (let i = 0; i < countOf(of, dimensions); i += 1)
      if (takesPart(target, of, i)) counts[reducedIndex(of, per, i, dimensions)] += 1;
    total += counts[0];
    if (per !== "all")
      counts.forEach((value, i) => {
        arrays.get(name)![i] = rounded ? Math.fround(value) : value;
      });
  }
  if (per === "all" && targets.length > 0)
    targets[0].arrays.get(name)![0] = rounded ? Math.fround(total) : total;
}

/** Rows that a mask leaves out take no part, unless they are updated by a gradient of 0. */
function takesPart({ isSelected, update }: Target, extent: Extent, index: number): boolean {
  return isSelected(extent, index) || update.unselectedRows !== "keep";
}

function runPass(
  { scalars }: Variant,
  { over, program, reductions }: MapPass,
  bytecode: Bytecode,
  target: Target,
  extents: ReadonlyMap<string, Extent>,
  rounded: boolean,
): void {
  const { update, dimensions, arrays, isSelected } = target;
  const values = new Float64Array(program.nodes.length);
  const loads: { readonly array: Values; readonly node: number; readonly extent: Extent }[] = [];
  for (const { name, node } of program.inputs) {
    const array = arrays.get(name);
    if (array !== undefined) loads.push({ array, node, extent: extents.get(name)! });
    else {
      const scalar = update.scalars[scalars.indexOf(name)];
      values[node] = rounded ? Math.fround(scalar) : scalar;
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
    interpret(bytecode, values, rounded);
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
    else reduceInto(arrays.get(name)!, reduction, over, operands[k], target, rounded);
  });
}

/** Reduces the values of a pass to one per row, column or tensor. */
function reduceInto(
  result: Values,
  { op, over }: Reduction,
  of: Extent,
  operands: Float64Array,
  target: Target,
  rounded: boolean,
): void {
  const { matrices, rows, columns } = target.dimensions;
  const valueAt = (index: number): number | undefined =>
    takesPart(target, of, index) ? operands[index] : undefined;
  if (over === "row") {
    for (let r = 0; r < matrices * rows; r += 1)
      result[r] = reduce(op, columns, (c) => valueAt(r * columns + c), rounded);
  } else if (over === "column") {
    for (let m = 0; m < matrices; m += 1)
      for (let c = 0; c < columns; c += 1)
        result[m * columns + c] = reduce(
          op,
          rows,
          (r) => valueAt((m * rows + r) * columns + c),
          rounded,
        );
  } else result[0] = reduce(op, operands.length, valueAt, rounded);
}
