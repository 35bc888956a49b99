import type { RunningContender } from "./contenders/contender.js";

/** How much time to spend on measuring. */
export interface Budget {
  /** Each contender steps for about this long before the first round, so that everything is compiled. */
  readonly warmUpNs: number;
  /** A turn repeats steps until it takes about this long. */
  readonly turnNs: number;
  /** All rounds of a workload take about this long. */
  readonly workloadNs: number;
  /** At least and at most this many rounds, whatever they take. */
  readonly rounds: readonly [min: number, max: number];
  /** The allocations of each contender are counted for about this long, untimed. */
  readonly allocationNs: number;
}

/** Nanoseconds per step: for each contender, one time per round. */
export type Times = readonly (readonly number[])[];

/**
 * Times all contenders in turns, A B C A B C …, so that a machine that slows down slows all of them. Before each turn
 * comes an untimed step to warm the caches, unless it would take as long as the turn.
 *
 * @param onRound called before each round but the first
 */
export async function timeInterleaved(
  contenders: readonly RunningContender[],
  budget: Budget,
  onRound: (completed: number, planned: number) => void = () => {},
): Promise<Times> {
  const counts: number[] = [];
  for (const contender of contenders) counts.push(await stepsPerTurn(contender, budget));

  const round = async (): Promise<number[]> => {
    const times: number[] = [];
    for (const [i, contender] of contenders.entries()) {
      await contender.activate?.();
      if (counts[i] > 1) {
        contender.step();
        await contender.waitUntilDone?.();
      }
      times.push(await turn(contender, counts[i]));
    }
    return times;
  };

  const start = performance.now();
  const rounds = [await round()];
  const roundNs = (performance.now() - start) * 1e6;
  const [min, max] = budget.rounds;
  const planned = Math.min(max, Math.max(min, Math.floor(budget.workloadNs / roundNs)));
  while (rounds.length < planned) {
    onRound(rounds.length, planned);
    rounds.push(await round());
  }
  return contenders.map((_, i) => rounds.map((times) => times[i]));
}

/** Nanoseconds per step, over that many steps, until the last is done. */
async function turn(contender: RunningContender, steps: number): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < steps; i += 1) contender.step();
  if (contender.waitUntilDone !== undefined) await contender.waitUntilDone();
  return ((performance.now() - start) * 1e6) / steps;
}

/** Warms up, and returns how many steps fill a turn. */
async function stepsPerTurn(
  contender: RunningContender,
  { warmUpNs, turnNs }: Budget,
): Promise<number> {
  await contender.activate?.();
  let steps = 1;
  let spentNs = 0;
  for (;;) {
    const stepNs = await turn(contender, steps);
    spentNs += stepNs * steps;
    if (spentNs >= warmUpNs) return Math.max(1, Math.round(turnNs / stepNs));
    if (stepNs * steps < turnNs) steps *= 2;
  }
}
