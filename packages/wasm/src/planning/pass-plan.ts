import {
  bytecodeOf,
  summationBlock,
  summationLanes,
  withOutputs,
  type Bytecode,
  type Extent,
  type MapPass,
  type MatrixPass,
  type Program,
  type Reduction,
  type Variant,
} from "@gradstep/core";
import { EntryLayout } from "./entry-layout.js";

/** A pass, or a part of one, that is a function in wasm. */
export interface PassKernel {
  readonly kind: "kernel";
  readonly level: number;
  /** The name under which modules export it. */
  readonly name: string;
  readonly over: "element" | "row" | "column";
  readonly program: Program;
  /**
   * `positions`: it computes a range of values, and reduces them over tensors if at all. `rows`: it computes whole rows,
   * and reduces them over rows and columns.
   */
  readonly ranges: "positions" | "rows";
  readonly reductions: readonly Reduction[];
  readonly layout: EntryLayout;
}

/** A pass over tensors, or over all of them at once, which is interpreted: these are few values. */
export interface InterpretedPass {
  readonly kind: "interpreted";
  readonly level: number;
  readonly pass: MapPass;
  readonly bytecode: Bytecode;
}

export type PlannedPass = PassKernel | InterpretedPass | MatrixPass;

/** How the pass plan of a variant is executed. */
export interface PassPlan {
  readonly variant: Variant;
  readonly layout: EntryLayout;
  /** In this order. */
  readonly passes: readonly PlannedPass[];
}

/** Prepares the pass plan of a variant that is not elementwise. */
export function planOf(variant: Variant): PassPlan {
  const layout = new EntryLayout(variant);
  const passes: PlannedPass[] = [];
  for (const pass of variant.passPlan.passes) {
    if (pass.kind === "newtonSchulz") passes.push(pass);
    else if (pass.over === "tensor" || pass.over === "all") {
      const { level, program } = pass;
      passes.push({ kind: "interpreted", level, pass, bytecode: bytecodeOf(program) });
    } else {
      for (const part of partsOf(pass)) {
        const name = `${variant.perElement.fingerprint}.${passes.length}`;
        passes.push({
          ...part,
          kind: "kernel",
          level: pass.level,
          name,
          over: pass.over,
          layout,
        });
      }
    }
  }
  return { variant, layout, passes };
}

type Part = Pick<PassKernel, "program" | "ranges" | "reductions">;

/**
 * Ranges that suit reductions over tensors do not suit those over rows and columns. A pass with both is divided: the
 * first part reads what the second replaces.
 */
function partsOf({ program, reductions }: MapPass): readonly Part[] {
  const overTensor = reductions.filter(({ over }) => over === "tensor");
  const others = reductions.filter(({ over }) => over !== "tensor");
  if (others.length === 0) return [{ program, ranges: "positions", reductions }];
  if (overTensor.length === 0) return [{ program, ranges: "rows", reductions }];
  const isOverTensor = (name: string): boolean => overTensor.some((one) => one.name === name);
  const part = (isIncluded: (name: string) => boolean): Program =>
    withOutputs(
      program,
      program.outputs.filter(({ name }) => isIncluded(name)),
    );
  return [
    { program: part(isOverTensor), ranges: "positions", reductions: overTensor },
    { program: part((name) => !isOverTensor(name)), ranges: "rows", reductions: others },
  ];
}

/** Whether a kernel reads values of rows or columns of elements. */
export function readsRows({ program, over, layout }: PassKernel): boolean {
  const isRowwise = (extent: Extent | undefined): boolean =>
    extent === "row" || extent === "column";
  return (
    over === "element" && program.inputs.some(({ name }) => isRowwise(layout.extents.get(name)))
  );
}

/** Whether a kernel computes matrices with one column as their transposes, which have long rows. */
export function hasTransposedForm(kernel: PassKernel): boolean {
  return kernel.over === "element" && (kernel.ranges === "rows" || readsRows(kernel));
}

/** The extent in the transpose of a matrix. */
export function transposed(extent: Extent): Extent {
  if (extent === "row") return "column";
  return extent === "column" ? "row" : extent;
}

/** The lanes that a sum over so many rows needs: a power of two. Others would stay empty. */
export function lanesOf(rows: number): number {
  let lanes = summationLanes;
  while (lanes >= 2 * rows) lanes /= 2;
  return lanes;
}

/** The number of blocks in which so many values are reduced. */
export function blocksOf(count: number): number {
  return Math.ceil(count / summationBlock);
}
