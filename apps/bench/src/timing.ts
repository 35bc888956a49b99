import type { Entrant } from "./contenders/contender.js";

/** How long to measure. */
export interface Effort {
  /** Each contender steps for about this long before the first round, so that engines have compiled what they will. */
  readonly warmUpNs: number;
  /** A turn repeats steps until it takes about this long. */
  readonly turnNs: number;
  /** All rounds of a workload take about this long. */
  readonly workloadNs: number;
  /** At least and at most this many rounds, however long they take. */
  readonly rounds: readonly [least: number, most: number];
  /** Each contender is watched for garbage for about this long, untimed. */
  readonly watchNs: number;
}

/** Times in nanoseconds a step, by contender, one for each round. */
export type Times = readonly (readonly number[])[];

/**
 * Times all entrants in turn, A B C A B C …, so that a machine that slows down slows everyone down. Before each turn
 * comes an untimed step, for the caches, unless it would take as long as the turn.
 */
export async function timeInterleaved(
  entrants: readonly Entrant[],
  effort: Effort,
): Promise<Times> {
  const counts: number[] = [];
  for (const entrant of entrants) counts.push(await stepsInTurn(entrant, effort));

  const round = async (): Promise<number[]> => {
    const times: number[] = [];
    for (const [i, entrant] of entrants.entries()) {
      await entrant.enter?.();
      if (counts[i] > 1) {
        entrant.step();
        await entrant.settle?.();
      }
      times.push(await turn(entrant, counts[i]));
    }
    return times;
  };

  const start = performance.now();
  const rounds = [await round()];
  const each = (performance.now() - start) * 1e6;
  const [least, most] = effort.rounds;
  const planned = Math.min(most, Math.max(least, Math.floor(effort.workloadNs / each)));
  while (rounds.length < planned) rounds.push(await round());
  return entrants.map((_, i) => rounds.map((times) => times[i]));
}

/** Nanoseconds a step, over so many, until the last is done. */
async function turn(entrant: Entrant, steps: number): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < steps; i += 1) entrant.step();
  if (entrant.settle !== undefined) await entrant.settle();
  return ((performance.now() - start) * 1e6) / steps;
}

/** Warms up and returns how many steps fill a turn. */
async function stepsInTurn(entrant: Entrant, { warmUpNs, turnNs }: Effort): Promise<number> {
  await entrant.enter?.();
  let steps = 1;
  let spent = 0;
  for (;;) {
    const each = await turn(entrant, steps);
    spent += each * steps;
    if (spent >= warmUpNs) return Math.max(1, Math.round(turnNs / each));
    if (each * steps < turnNs) steps *= 2;
  }
}
