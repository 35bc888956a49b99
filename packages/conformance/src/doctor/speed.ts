import { adam, createOptimizer } from "@gradstep/core";
import type { OpenedBackend } from "./candidate.js";

/** How fast backends make steps of Adam, compared with a loop. */
export interface Speed {
  readonly parameters: number;
  readonly rounds: number;
  /** Nanoseconds per step of the loop: the median of the rounds. */
  readonly loopNs: number;
  readonly backends: readonly BackendSpeed[];
}

/** How fast one backend is. */
export interface BackendSpeed {
  readonly name: string;
  /** Nanoseconds per step: the median of the rounds. */
  readonly stepNs: number;
  /** The loop's time divided by the backend's in the same round: quartiles. Above 1, the backend is faster. */
  readonly timesAsFast: readonly [lower: number, median: number, upper: number];
}

/** What makes steps. */
interface Stepper {
  readonly name: string;
  readonly step: () => void;
  readonly finish?: () => Promise<void>;
}

/** How much is measured. */
interface SpeedOptions {
  readonly parameters: number;
  readonly rounds: number;
  /** A turn makes steps until about this many milliseconds have passed. */
  readonly turnMs: number;
}

const loopName = "loop";

/**
 * Times Adam on backends, and the textbook loop, in turns: loop, A, B, loop, A, B, … A machine that slows down slows all
 * of them. Undefined if it was stopped.
 */
export async function measureSpeed(
  backends: readonly { readonly name: string; readonly backend: OpenedBackend }[],
  { parameters, rounds, turnMs }: SpeedOptions,
  signal: AbortSignal,
  onRound: (round: number) => void,
): Promise<Speed | undefined> {
  const steppers: Stepper[] = [loop(parameters)];
  for (const { name, backend } of backends)
    steppers.push(await gradstep(name, backend, parameters));
  const counts: number[] = [];
  for (const stepper of steppers) {
    // The first turns compile and warm up.
    await turn(stepper, 3);
    counts.push(Math.max(1, Math.round((turnMs * 1e6) / (await turn(stepper, 3)))));
  }
  const times = steppers.map((): number[] => []);
  for (let round = 0; round < rounds; round += 1) {
    onRound(round);
    for (const [i, stepper] of steppers.entries()) {
      // Signals arrive between turns.
      await new Promise((resolve) => setTimeout(resolve));
      if (signal.aborted) return undefined;
      times[i].push(await turn(stepper, counts[i]));
    }
  }
  const [loopTimes] = times;
  return {
    parameters,
    rounds,
    loopNs: quantile(loopTimes, 0.5),
    backends: backends.map(({ name }, k) => {
      const own = times[k + 1];
      const ratios = own.map((time, i) => loopTimes[i] / time);
      return {
        name,
        stepNs: quantile(own, 0.5),
        timesAsFast: [quantile(ratios, 0.25), quantile(ratios, 0.5), quantile(ratios, 0.75)],
      };
    }),
  };
}

/** Nanoseconds per step, until the last step is done. */
async function turn({ step, finish }: Stepper, steps: number): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < steps; i += 1) step();
  await finish?.();
  return ((performance.now() - start) * 1e6) / steps;
}

const options = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 } as const;

/** The loop that most people write: Algorithm 1 of the paper, line by line. */
function loop(length: number): Stepper {
  const { learningRate, beta1, beta2, epsilon } = options;
  const [p, g, m, v] = [values(length), values(length), zeros(length), zeros(length)];
  let t = 0;
  return {
    name: loopName,
    step: () => {
      t += 1;
      const correction1 = 1 - beta1 ** t;
      const correction2 = 1 - beta2 ** t;
      for (let i = 0; i < length; i += 1) {
        m[i] = beta1 * m[i] + (1 - beta1) * g[i];
        v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i];
        const mHat = m[i] / correction1;
        const vHat = v[i] / correction2;
        p[i] = p[i] - (learningRate * mHat) / (Math.sqrt(vHat) + epsilon);
      }
    },
  };
}

/** gradstep's Adam, with all tensors in the backend's memory. */
async function gradstep(
  name: string,
  { forSpeed, finish }: OpenedBackend,
  length: number,
): Promise<Stepper> {
  const backend = await forSpeed();
  const parameter = backend.tensor([length], values(length));
  const gradients = { parameter: backend.tensor([length], values(length)) };
  const optimizer = createOptimizer(adam({ ...options, epsilonMode: "paper" }), { parameter });
  return {
    name,
    step: () => {
      optimizer.step(gradients);
    },
    ...(finish === undefined ? {} : { finish }),
  };
}

function zeros(length: number): Float32Array {
  return new Float32Array(length);
}

/** Values of a usual size, none of which is subnormal. */
function values(length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.sin(i + 1) / 10);
}

function quantile(numbers: readonly number[], fraction: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.round(fraction * (sorted.length - 1))];
}
