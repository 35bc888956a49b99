import { surfaces, type Extent, type Point } from "../playground/surfaces.js";

const { formula, minima } = surfaces.find(({ name }) => name === "himmelblau")!;

/** The part of the plane that the map shows: as wide as a page. */
const extent: Extent = { xMin: -7.6, xMax: 7.6, yMin: -4.6, yMax: 4.6 };

/** Starts of races, one after the other: from each of them, the optimizers find different minima. */
export const starts: readonly Point[] = [
  [-0.2, -1.4],
  [5, 2.2],
  [-4.5, 1],
  [0.2, -4],
];

/** What the race of the first page is about: Himmelblau's function, which has four minima. */
export const race = { formula, minima, extent, steps: 150 } as const;

/** The optimizers, in the order of their colors. */
export const runnerNames = ["SGD", "RMSprop", "Adam", "Lion"] as const;

export type RunnerName = (typeof runnerNames)[number];
