import type { Digits } from "./digits.js";
import { gradstepAdamAsTfjs, tfjsAdam, type TrainingOptimizer } from "./optimizers.js";
import { type BackendName, useBackend } from "./tfjs.js";
import type { Observer, Plan, Run } from "./run.js";
import { train } from "./training.js";

/** Whose Adam. */
export type Maker = "gradstep" | "TF.js";

const makers: Record<Maker, (learningRate: number) => TrainingOptimizer> = {
  gradstep: gradstepAdamAsTfjs,
  "TF.js": tfjsAdam,
};

export interface Contender {
  readonly maker: Maker;
  readonly backend: BackendName;
  readonly run: Run;
}

export interface Ratio {
  readonly backend: BackendName;
  /** The time of a step inside TF.js's Adam over that inside gradstep's: above 1, gradstep is faster. */
  readonly speedup: number;
  /**
   * The largest difference between the two in the loss of a step. It begins near 1e-6: TF.js has β2 in f32, so that
   * its 1 − β2ᵗ is off by 1e-5. A rectified unit that flips in one of the two may make a thousand times as much of it,
   * as it does when TF.js's own rate is changed by that little.
   */
  readonly lossDifference: number;
}

export interface Comparison {
  readonly contenders: readonly Contender[];
  /** For the backends on which both took a step. */
  readonly ratios: readonly Ratio[];
}

/** The backends that a comparison is made on, besides the one that was asked for. */
const always: readonly BackendName[] = ["wasm", "cpu-js"];

/**
 * Trains with gradstep's Adam and with TF.js's own, in that order, on wasm, cpu-js and `chosen`: the
 * same weights, digits and order of digits each time. gradstep's has the numbers of TF.js's here, so
 * that the losses may be held against each other. After `signal` aborts, no further
 * contender starts.
 */
export async function compare(
  digits: Digits,
  plan: Plan,
  chosen: BackendName,
  signal: AbortSignal,
  observe: (maker: Maker, backend: BackendName) => Observer,
): Promise<Comparison> {
  const contenders: Contender[] = [];
  const backends = new Set([...(always.includes(chosen) ? [] : [chosen]), ...always]);
  for (const backend of backends) {
    for (const maker of Object.keys(makers) as Maker[]) {
      // The first one starts in any case, so that there is a run to speak of, if only of no step.
      if (signal.aborted && contenders.length > 0) break;
      await useBackend(backend);
      const run = await train(
        makers[maker](plan.learningRate),
        digits,
        plan,
        signal,
        observe(maker, backend),
      );
      contenders.push({ maker, backend, run });
    }
  }
  return { contenders, ratios: [...backends].flatMap((backend) => ratio(contenders, backend)) };
}

function ratio(contenders: readonly Contender[], backend: BackendName): Ratio[] {
  const [ours, theirs] = (Object.keys(makers) as Maker[]).map(
    (maker) =>
      contenders.find((contender) => contender.maker === maker && contender.backend === backend)
        ?.run,
  );
  if (!ours || !theirs) return [];
  const steps = Math.min(ours.stepLosses.length, theirs.stepLosses.length);
  if (steps === 0) return [];
  const differences = Array.from({ length: steps }, (_, step) =>
    Math.abs(ours.stepLosses[step] - theirs.stepLosses[step]),
  );
  return [
    { backend, speedup: perStep(theirs) / perStep(ours), lossDifference: Math.max(...differences) },
  ];
}

/** A sentence about each backend on which both took a step. */
export function verdicts({ ratios }: Comparison): string[] {
  return ratios.map(({ backend, speedup, lossDifference }) => {
    const [factor, word] = speedup >= 1 ? [speedup, "fast"] : [1 / speedup, "slow"];
    const losses =
      lossDifference === 0
        ? "the losses of all steps are the same"
        : `the losses of a step differ by ${lossDifference.toExponential(1)} at most`;
    return `On ${backend}, gradstep's Adam is ${factor.toFixed(1)} times as ${word} as TF.js's; ${losses}.`;
  });
}

/** Seconds in the optimizer for a step. */
export function perStep({ optimizerSeconds, stepLosses }: Run): number {
  return optimizerSeconds / stepLosses.length;
}
