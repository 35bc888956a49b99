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
  readonly #runners: readonly Placed[];
  readonly #fused: (() => VariantRunner) | undefined;
  #fusedRunner: Placed[] | undefined;
  readonly #isShareable: boolean;

  /**
   * @param runners one, or one per part of a chain
   * @param fused the runner of the chain as one program, for steps that its parts cannot make: see `#select`
   * @param isShareable whether the first runner has all reductions that the variant may have in common with others
   */
  constructor(
    source: string,
    runners: readonly VariantRunner[],
    fused?: () => VariantRunner,
    isShareable = true,
  ) {
    this.source = source;
    this.#runners = placed(runners);
    this.#fused = fused;
    this.#isShareable = isShareable;
  }

  run(updates: readonly Update[], count: number): void {
    const runners = this.#select(updates, count, false);
    for (let i = 0; i < runners.length; i += 1) runners[i].runner.run(updates, count);
  }

  /**
   * Prepares a step together with other rules.
   * @returns the runners that make the step
   */
  prepare(updates: readonly Update[], count: number): readonly Placed[] {
    const runners = this.#select(updates, count, true);
    for (let i = 0; i < runners.length; i += 1) runners[i].runner.prepare(updates, count);
    return runners;
  }

  /**
   * The parts of a chain hand on parameters in memory. That is not possible for rows whose parameters stay as they are
   * while slots of later stages follow them (`decay`).
   */
  #select(updates: readonly Update[], count: number, isTogether: boolean): readonly Placed[] {
    if (this.#fused === undefined) return this.#runners;
    let isFused = isTogether && !this.#isShareable;
    for (let i = 0; i < count; i += 1)
      isFused ||= updates[i].mask !== undefined && updates[i].unselectedRows === "decay";
    if (!isFused) return this.#runners;
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
  const all: Placed[] = [];
  for (const { kernel, updates, count } of runs) {
    if (kernel instanceof PassKernel) all.push(...kernel.prepare(updates, count));
    else kernel!.run(updates, count);
  }
  const runners = all.map(({ runner }) => runner);
  const ends = all.map(({ runner, firstLevel }) => firstLevel + runner.phases.at(-1)!.level);
  for (let level = 0; level <= Math.max(...ends); level += 1) {
    forEachPhase(all, level, (runner, phase) => runner.runPhase(phase));
    forEachPhase(all, level, (runner, phase) => runner.joinTensors(phase, runners));
  }
}

function forEachPhase(
  all: readonly Placed[],
  level: number,
  action: (runner: VariantRunner, phase: number) => void,
): void {
  for (const { runner, firstLevel } of all)
    runner.phases.forEach((phase, i) => {
      if (firstLevel + phase.level === level) action(runner, i);
    });
}
