import type { MatrixPass, ReduceOp } from "@gradstep/core";
import { joinPairwise } from "@gradstep/core/internal";
import type { PassRanges } from "../planning/pass-ranges.js";
import type { PassTable } from "../planning/pass-table.js";
import { InterpretedPassRunner } from "./interpreted-pass-runner.js";

/** Runs a kernel in all ranges of a table. */
export type RunRanges = (ranges: PassRanges) => void;

/** `newtonSchulz` of a module, as `addNewtonSchulz` describes it. */
export type RunNewtonSchulz = (
  x: number,
  result: number,
  scratch: number,
  matrices: number,
  rows: number,
  columns: number,
  a: number,
  b: number,
  c: number,
) => void;

/** The functions of a plan: one per kernel, in their order. */
export interface PassFunctions {
  readonly kernels: readonly RunRanges[];
  readonly newtonSchulz: RunNewtonSchulz | undefined;
}

/** A reduction over all tensors, with the pass that computes its operands. */
interface ReductionOverAll {
  readonly name: string;
  readonly op: ReduceOp;
  readonly level: number;
  /** See `Temporary.key`. */
  readonly key: string | undefined;
  readonly source: InterpretedPassRunner;
}

interface Step {
  readonly level: number;
  readonly run: () => void;
}

/** Executes the passes of a plan on the tensors of a table. */
export class PassRunner {
  readonly table: PassTable;
  /** The level of the last pass. */
  readonly lastLevel: number;
  /** Replaced once the threads are ready. */
  functions: PassFunctions;
  readonly #steps: readonly Step[];
  readonly #reductions: readonly ReductionOverAll[];
  readonly #coefficients = new Float32Array(3);
  readonly #coefficientBits = new Int32Array(this.#coefficients.buffer);
  #operands = new Float32Array(0);

  constructor(table: PassTable, functions: PassFunctions) {
    this.table = table;
    this.functions = functions;
    const { passes, variant } = table.plan;
    const { temporaries } = variant.passPlan;
    const reductions: ReductionOverAll[] = [];
    let kernels = 0;
    this.#steps = passes.map((pass) => {
      const { level } = pass;
      if (pass.kind === "newtonSchulz") return { level, run: () => this.#runProduct(pass) };
      if (pass.kind === "kernel") {
        const index = kernels;
        kernels += 1;
        return { level, run: () => this.#runKernel(index) };
      }
      const source = new InterpretedPassRunner(table, pass);
      for (const { name, op } of pass.pass.reductions) {
        const key = temporaries.find((one) => one.name === name)?.key;
        reductions.push({ name, op, level, key, source });
      }
      return { level, run: () => source.run() };
    });
    this.#reductions = reductions;
    this.lastLevel = Math.max(...passes.map(({ level }) => level));
  }

  /** Executes the passes of a level. */
  runLevel(level: number): void {
    for (let i = 0; i < this.#steps.length; i += 1)
      if (this.#steps[i].level === level) this.#steps[i].run();
  }

  /** Reduces over the tensors of all runners of the step, this one included, what the passes of a level have found. */
  reduceLevel(level: number, runners: readonly PassRunner[]): void {
    for (let i = 0; i < this.#reductions.length; i += 1) {
      const reduction = this.#reductions[i];
      if (reduction.level === level) this.#reduce(reduction, runners);
    }
  }

  #reduce({ name, op, level, key }: ReductionOverAll, runners: readonly PassRunner[]): void {
    let length = 0;
    for (let i = 0; i < runners.length; i += 1) length += runners[i].table.count;
    if (this.#operands.length < length) this.#operands = new Float32Array(length);
    let count = 0;
    for (let i = 0; i < runners.length; i += 1) {
      const operands = runners[i].#operandsFor(this, name, level, key);
      if (operands === undefined) continue;
      for (let j = 0; j < runners[i].table.count; j += 1) this.#operands[count + j] = operands[j];
      count += runners[i].table.count;
    }
    const value = joinPairwise(op, this.#operands, count);
    this.table.floats[this.table.addressOf(name, 0) / 4] = value;
  }

  /** The operands of a reduction of a runner, or of the same reduction here. */
  #operandsFor(
    runner: PassRunner,
    name: string,
    level: number,
    key: string | undefined,
  ): Float32Array | undefined {
    for (let i = 0; i < this.#reductions.length; i += 1) {
      const one = this.#reductions[i];
      const isSame =
        runner === this
          ? one.name === name
          : one.level === level && key !== undefined && one.key === key;
      if (isSame) return one.source.operandsOf(one.name);
    }
    return undefined;
  }

  #runKernel(index: number): void {
    const { table } = this;
    const ranges = table.ranges[index];
    table.memory.beginReductions(ranges.kernel);
    if (ranges.count > 0) this.functions.kernels[index](ranges);
    table.memory.finishReductions(ranges.kernel);
  }

  #runProduct({ from, to, coefficients }: MatrixPass): void {
    const { table } = this;
    const { layout } = table.plan;
    const bits = this.#coefficientBits;
    for (let tensor = 0; tensor < table.count; tensor += 1) {
      const { matrices, rows, columns } = table.dimensions(tensor);
      const { scalars } = table.updates[tensor];
      for (let k = 0; k < 3; k += 1) {
        const one = coefficients[k];
        // Two assignments: V8 would allocate a number that is chosen between the two.
        if (typeof one === "number") this.#coefficients[k] = one;
        else this.#coefficients[k] = scalars[layout.scalars.indexOf(one)];
      }
      this.functions.newtonSchulz!(
        table.addressOf(from, tensor),
        table.addressOf(to, tensor),
        table.scratch.address,
        matrices,
        rows,
        columns,
        bits[0],
        bits[1],
        bits[2],
      );
    }
  }
}

/** Executes the passes of runners as one step: level by level, at each level those of all runners. */
export function runPasses(runners: readonly PassRunner[]): void {
  let last = 0;
  for (let i = 0; i < runners.length; i += 1) last = Math.max(last, runners[i].lastLevel);
  for (let level = 0; level <= last; level += 1) {
    for (let i = 0; i < runners.length; i += 1) runners[i].runLevel(level);
    for (let i = 0; i < runners.length; i += 1) runners[i].reduceLevel(level, runners);
  }
}
