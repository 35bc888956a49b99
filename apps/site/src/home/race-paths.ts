import { adam, lion, rmsprop, sgd, type OptimizerSpec } from "@gradstep/core";
import {
  adamKernels,
  createCpuJs,
  lionKernels,
  rmspropKernels,
  sgdKernels,
} from "@gradstep/cpu-js/kernels";
import { tracePath, type Path } from "../playground/path.js";
import type { Point } from "../playground/surfaces.js";
import { race, type RunnerName, runnerNames } from "./race.js";

const specs: Readonly<Record<RunnerName, OptimizerSpec>> = {
  SGD: sgd({ learningRate: 0.004, momentum: 0.85 }),
  RMSprop: rmsprop({ learningRate: 0.06 }),
  Adam: adam({ learningRate: 0.15 }),
  Lion: lion({ learningRate: 0.05 }),
};

// With the kernels of these rules alone: a click waits for them.
const backend = createCpuJs({
  kernels: [sgdKernels, rmspropKernels, adamKernels, lionKernels],
});

/** The paths of all optimizers from a start. */
export async function racePaths(start: Point): Promise<readonly Path[]> {
  const { formula, steps } = race;
  const paths: Path[] = [];
  for (const name of runnerNames)
    paths.push(await tracePath(backend, specs[name], { formula, start, steps, noise: 0, seed: 1 }));
  return paths;
}
