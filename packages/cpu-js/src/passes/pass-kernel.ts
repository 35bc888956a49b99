import type { BatchRun, Kernel, Update } from "@gradstep/core";
import type { VariantRunner } from "./variant-runner.js";

/** A runner with the level at which it begins, after all levels of those before it. */
interface Placed {
  readonly runner: VariantRunner;
  readonly firstLevel: number;
}

/** The kernel of a variant of several passes, or of the parts of a chain, which run one after the other. */
export class PassKernel implements Kernel {
  readonly source: string;
  readonly #makeRunners: () => readonly VariantRunner[];
  readonly #runners: readonly Placed[];
  readonly #fused: (() => VariantRunner) | undefined;
  #fusedRunner: Placed[] | undefined;
  readonly #isShareable: boolean;
  /** The runners of the step that is being made together with other rules. */
  #current: readonly Placed[] = [];
  /** The kernel for the second run of a step in which this one runs more than once. */
  #next: PassKernel | undefined;

  /**
   * @param makeRunners makes one, or one per part of a chain
   * @param fused the runner of the chain as one program, for steps that its parts cannot make: see `#select`
   * @param isShareable whether the first runner has all reductions that the variant may have in common with others
   */
  constructor(
    source: string,
    makeRunners: () => readonly VariantRunner[],
    fused?: () => VariantRunner,
    isShareable = true,
  ) {
    this.source = source;
    this.#makeRunners = makeRunners;
    this.#runners = placed(makeRunners());
    this.#fused = fused;
    this.#isShareable = isShareable;
  }

  run(updates: readonly Update[], count: number): void {
    const runners = this.#select(updates, count);
    for (let i = 0; i < runners.length; i += 1) runners[i].runner.run(updates, count);
  }

  /** The kernel for run number `n` of this kernel in one step, from 0 on: each run has tensors of its own. */
  ofRun(n: number): PassKernel {
    if (n === 0) return this;
    this.#next ??= new PassKernel(this.source, this.#makeRunners, this.#fused, this.#isShareable);
    return this.#next.ofRun(n - 1);
  }

  /** Prepares a step together with other rules. @returns its last level */
  prepare(updates: readonly Update[], count: number): number {
    this.#current = this.#isShareable ? this.#select(updates, count) : this.#asOneProgram();
    let level = 0;
    for (let i = 0; i < this.#current.length; i += 1) {
      const { runner, firstLevel } = this.#current[i];
      runner.prepare(updates, count);
      level = firstLevel + runner.phases[runner.phases.length - 1].level;
    }
    return level;
  }

  /** Runs the passes of a level. */
  runLevel(level: number): void {
    for (let i = 0; i < this.#current.length; i += 1) {
      const { runner, firstLevel } = this.#current[i];
      for (let k = 0; k < runner.phases.length; k += 1)
        if (firstLevel + runner.phases[k].level === level) runner.runPhase(k);
    }
  }

  /** Makes the reductions over all tensors at the end of a level, over the tensors of all runs. */
  joinLevel(level: number, runs: readonly BatchRun[]): void {
    for (let i = 0; i < this.#current.length; i += 1) {
      const { runner, firstLevel } = this.#current[i];
      for (let phase = 0; phase < runner.phases.length; phase += 1) {
        if (firstLevel + runner.phases[phase].level !== level) continue;
        for (let k = 0; k < runner.reductionCount(phase); k += 1) {
          for (let r = 0; r < runs.length; r += 1) {
            const kernel = kernelOf(runs, r);
            if (kernel !== undefined) kernel.#gatherFor(runner, phase, k);
          }
          runner.joinGathered(phase, k);
        }
      }
    }
  }

  #gatherFor(runner: VariantRunner, phase: number, k: number): void {
    for (let i = 0; i < this.#current.length; i += 1)
      runner.gather(phase, k, this.#current[i].runner);
  }

  /**
   * The parts of a chain hand on parameters in memory. That is not possible for rows whose parameters stay as they are
   * while slots of later stages follow them (`decay`).
   */
  #select(updates: readonly Update[], count: number): readonly Placed[] {
    for (let i = 0; i < count; i += 1)
      if (updates[i].mask !== undefined && updates[i].unselectedRows === "decay")
        return this.#asOneProgram();
    return this.#runners;
  }

  #asOneProgram(): readonly Placed[] {
    if (this.#fused === undefined) return this.#runners;
    this.#fusedRunner ??= placed([this.#fused()]);
    return this.#fusedRunner;
  }
}

function placed(runners: readonly VariantRunner[]): Placed[] {
  let firstLevel = 0;
  return runners.map((runner) => {
    const one = { runner, firstLevel };
    firstLevel += Math.max(...runner.phases.map(({ level }) => level)) + 1;
    return one;
  });
}

/**
 * Runs the kernels of several rules as one step, level by level, so that their reductions over all tensors cover the
 * tensors of all of them.
 */
export function runTogether(runs: readonly BatchRun[]): void {
  let last = 0;
  for (let i = 0; i < runs.length; i += 1) {
    const { updates, count } = runs[i];
    const kernel = kernelOf(runs, i);
    if (kernel === undefined) runs[i].kernel!.run(updates, count);
    else last = Math.max(last, kernel.prepare(updates, count));
  }
  for (let level = 0; level <= last; level += 1) {
    for (let i = 0; i < runs.length; i += 1) kernelOf(runs, i)?.runLevel(level);
    for (let i = 0; i < runs.length; i += 1) kernelOf(runs, i)?.joinLevel(level, runs);
  }
}

/** The kernel of a run; undefined for an elementwise rule, which has nothing in common with others. */
function kernelOf(runs: readonly BatchRun[], index: number): PassKernel | undefined {
  const { kernel } = runs[index];
  if (!(kernel instanceof PassKernel)) return undefined;
  let before = 0;
  for (let i = 0; i < index; i += 1) if (runs[i].kernel === kernel) before += 1;
  return kernel.ofRun(before);
}
