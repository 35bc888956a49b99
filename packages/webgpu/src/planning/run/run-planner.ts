import type { MapPass, MatrixPass, Reduction } from "@gradstep/core";
import type { KernelProgram } from "../../shaders/kernel-program.js";
import { maxFusedColumns } from "../../shaders/fused-rows.js";
import { coefficientWords } from "../../shaders/newton-schulz-kernel.js";
import { newtonSchulzStages } from "../../shaders/newton-schulz-stages.js";
import type { PassKernels } from "../../shaders/pass-kernels.js";
import { planDenseDispatches } from "../dense/dense-dispatches.js";
import { denseItemOf, isDense, type DenseItem } from "../dense/dense-item.js";
import type { BindingLimits, StepDispatch } from "../dispatch/dispatch.js";
import { clearingKernel, clearingKernelOf } from "./gradient-clearing.js";
import { JoinPlan } from "./join-plan.js";
import { planNewtonSchulz, type MatrixItem } from "../matrix/matrix-pass.js";
import { alternateName, productsName } from "../matrix/matrix-temporaries.js";
import { planMatrixReductions } from "../matrix/matrix-reduction.js";
import type { PlannedRun } from "./planned-run.js";
import { planRowDispatches, type ReducedRowItem } from "../rows/row-dispatches.js";
import { rowItemOf } from "../rows/row-item.js";
import { scratchLocation, type RunAllocation } from "./run-allocation.js";
import type { ScratchLayout } from "./scratch-layout.js";
import type { ArrayLocation, StepTarget } from "../dispatch/step-target.js";

/** Where the results of the tiles of a tensor go. */
type StartOf = (reduction: Reduction, target: number, tiles: number) => number;

/** Whether one invocation can update a row of a tensor: it is short, and a row of a matrix. */
function canFuse({ dimensions, rows }: StepTarget): boolean {
  const { matrices, columns } = dimensions;
  return matrices === 1 && dimensions.rows === rows && columns <= maxFusedColumns;
}

/** The memory that a run shares with others of its step. */
interface RunMemory {
  readonly scratch: ScratchLayout;
  readonly limits: BindingLimits;
  /** Where the values per tensor of a reduction over all tensors go. */
  readonly sourceOf: (name: string) => number;
}

/** Plans the passes of one run. */
export class RunPlanner {
  readonly #run: PlannedRun;
  readonly #allocation: RunAllocation;
  /** The tensors that one kernel updates in all passes. */
  readonly #fused: readonly StepTarget[];
  readonly #scratch: ScratchLayout;
  readonly #limits: BindingLimits;
  readonly #sourceOf: (name: string) => number;
  /** The kernel that sets gradients to 0, in steps that do. */
  readonly #clearing: KernelProgram;

  constructor(
    run: PlannedRun,
    allocation: RunAllocation,
    { scratch, limits, sourceOf }: RunMemory,
  ) {
    this.#run = run;
    const isFused = (target: StepTarget): boolean =>
      run.programs.fused !== undefined && canFuse(target);
    this.#fused = allocation.targets.filter(isFused);
    this.#allocation = {
      ...allocation,
      targets: allocation.targets.filter((target) => !isFused(target)),
    };
    this.#scratch = scratch;
    this.#limits = limits;
    this.#sourceOf = sourceOf;
    this.#clearing = clearingKernelOf(run.programs);
  }

  /** Counts what masks on the device select. */
  counts(): StepDispatch[] {
    return this.#allocation.deviceCounts.flatMap(({ kernel, targets, starts }) => {
      const joins = new JoinPlan(this.#scratch);
      const counted = this.#map(kernel, targets, (_, t, tiles) =>
        joins.add("sum", 1, tiles, starts[t]),
      );
      return [...counted, ...this.#join(joins)];
    });
  }

  /** Sets gradients to 0 that no other kernel does. */
  clearings(): StepDispatch[] {
    if (this.#clearing !== clearingKernel) return [];
    return this.#clear(this.#allocation.targets);
  }

  /** Sets gradients to 0 if the step is skipped. */
  clearingsOfSkipped(): StepDispatch[] {
    const targets = [...this.#allocation.targets, ...this.#fused];
    return this.#clear(targets).map((dispatch) => ({ ...dispatch, isForSkipped: true }));
  }

  #clear(targets: readonly StepTarget[]): StepDispatch[] {
    const clearing = targets.filter(({ update }) => update.clearsGradient);
    return this.#map(clearingKernel, clearing, () => 0);
  }

  /** Updates the tensors of short rows. */
  fused(): StepDispatch[] {
    const { programs, kernels } = this.#run;
    const { fused } = programs;
    if (fused === undefined) return [];
    return planRowDispatches(
      this.#fused.map((target) => ({
        item: rowItemOf(fused.kernel, target, {
          clears: target.update.clearsGradient,
          isFused: true,
        }),
        startsOf: () => [],
      })),
      this.#limits,
    ).map(({ layout, ...dispatch }) => ({
      ...dispatch,
      kernel: kernels.fusedRows(fused, layout),
    }));
  }

  /** The passes of a level. */
  passes(level: number): StepDispatch[] {
    const { programs } = this.#run;
    return programs.passes.flatMap((one) => {
      if (one.kind === "map") return one.pass.level === level ? this.#mapPass(one) : [];
      return one.level === level ? this.#matrixPass(one) : [];
    });
  }

  #mapPass({ pass, matrixReduction, map }: PassKernels): StepDispatch[] {
    const targets = this.#targetsOf(pass);
    const joins = new JoinPlan(this.#scratch);
    const resultOf = ({ name }: Reduction, t: number): number =>
      this.#allocation.targets[t].locations.get(name)!.start;
    const dispatches: StepDispatch[] = [];
    if (matrixReduction !== undefined) {
      const items = targets.map((target, t) => ({
        item: rowItemOf(matrixReduction, target),
        startOf: (reduction: Reduction, results: number, tiles: number): number =>
          joins.add(reduction.op, results, tiles, resultOf(reduction, t)),
      }));
      dispatches.push(
        ...planMatrixReductions(items, this.#limits).map(({ layout, ...dispatch }) => ({
          ...dispatch,
          kernel: this.#run.kernels.matrixReduction(matrixReduction, layout),
        })),
      );
    }
    if (map !== undefined) {
      const startOf: StartOf = (reduction, t, tiles) =>
        joins.add(reduction.op, 1, tiles, resultOf(reduction, t));
      dispatches.push(...this.#map(map, targets, startOf));
    }
    return [...dispatches, ...this.#join(joins)];
  }

  /** The dispatches of a kernel: of the tensors that are plain, and of those that it updates by rows. */
  #map(kernel: KernelProgram, targets: readonly StepTarget[], startOf: StartOf): StepDispatch[] {
    const { kernels } = this.#run;
    const startsOf =
      (t: number) =>
      (tiles: number): readonly number[] =>
        kernel.reductions.map((reduction) => startOf(reduction, t, tiles));
    const canClear = kernel === this.#clearing || kernel === clearingKernel;
    const dense: DenseItem[] = [];
    const byRows: ReducedRowItem[] = [];
    targets.forEach((target, t) => {
      const clears = canClear && target.update.clearsGradient;
      if (isDense(kernel, target, clears)) dense.push(denseItemOf(kernel, target, startsOf(t)));
      else byRows.push({ item: rowItemOf(kernel, target, { clears }), startsOf: startsOf(t) });
    });
    return [
      ...planDenseDispatches(dense, this.#limits).map(({ layout, ...dispatch }) => ({
        ...dispatch,
        kernel: kernels.dense(kernel, layout),
      })),
      ...planRowDispatches(byRows, this.#limits).map(({ layout, ...dispatch }) => ({
        ...dispatch,
        kernel: kernels.rows(kernel, layout),
      })),
    ];
  }

  #matrixPass(pass: MatrixPass): StepDispatch[] {
    const { kernels, temporaries, variant } = this.#run;
    const coefficients = coefficientWords(variant, pass.coefficients);
    const isInPlace = pass.from === pass.to;
    const toName = isInPlace ? alternateName(pass.to) : pass.to;
    const items = this.#allocation.targets.map(
      ({ dimensions, locations, update }, t): MatrixItem => {
        const from = locations.get(pass.from)!;
        const to = locations.get(toName) ?? { ...from, ...temporaries.viewOf(toName, t) };
        // The result takes the place of the operand for all passes that follow.
        if (isInPlace) locations.set(pass.to, to).set(toName, from);
        return {
          dimensions,
          from: { buffer: from.buffer!, start: from.start },
          to: { buffer: to.buffer!, start: to.start },
          products: temporaries.viewOf(productsName, t),
          scalars: update.scalars,
          coefficients,
        };
      },
    );
    return newtonSchulzStages.flatMap((stage) =>
      planNewtonSchulz(stage, items, this.#limits).map((dispatch) => ({
        ...dispatch,
        kernel: kernels.newtonSchulz(stage, variant),
      })),
    );
  }

  /** The tensors of a pass; for what is reduced over all of them, with the location of each tensor's value. */
  #targetsOf({ over, reductions }: MapPass): readonly StepTarget[] {
    const { targets } = this.#allocation;
    if (over === "all") return targets.slice(0, 1);
    const overAll = reductions.filter((one) => one.over === "all");
    if (overAll.length === 0) return targets;
    return targets.map((target, t) => {
      const locations = new Map<string, ArrayLocation>(target.locations);
      for (const { name } of overAll)
        locations.set(name, scratchLocation(this.#sourceOf(name) + t));
      return { ...target, locations };
    });
  }

  #join(joins: JoinPlan): StepDispatch[] {
    const dispatches = joins.dispatches(this.#run.kernels, this.#limits);
    this.#scratch.release();
    return dispatches;
  }
}
