/** A point of the map. */
export type Point = readonly [x: number, y: number];

/** The part of the plane that a map shows. */
export interface Extent {
  readonly xMin: number;
  readonly xMax: number;
  readonly yMin: number;
  readonly yMax: number;
}

/** A function to minimize. */
export interface Surface {
  readonly name: string;
  readonly title: string;
  readonly formula: string;
  readonly extent: Extent;
  readonly start: Point;
  /** Where the function is least. */
  readonly minima: readonly Point[];
  /** The standard deviation of the noise of each element of the gradient. */
  readonly noise: number;
  /** What it is hard about it. */
  readonly description: string;
}

function square(half: number): Extent {
  return { xMin: -half, xMax: half, yMin: -half, yMax: half };
}

/** The functions that can be chosen. */
export const surfaces: readonly Surface[] = [
  {
    name: "rosenbrock",
    title: "Rosenbrock",
    formula: "(1 - x)^2 + 100*(y - x^2)^2",
    extent: { xMin: -2, xMax: 2, yMin: -1, yMax: 3 },
    start: [-1.2, 1],
    minima: [[1, 1]],
    noise: 0,
    description: "A curved valley: its floor is found quickly, its end slowly.",
  },
  {
    name: "beale",
    title: "Beale",
    formula: "(1.5 - x + x*y)^2 + (2.25 - x + x*y^2)^2 + (2.625 - x + x*y^3)^2",
    extent: square(4.5),
    start: [1, 1.5],
    minima: [[3, 0.5]],
    noise: 0,
    description: "Nearly flat around the minimum, and very steep at the corners.",
  },
  {
    name: "himmelblau",
    title: "Himmelblau",
    formula: "(x^2 + y - 11)^2 + (x + y^2 - 7)^2",
    extent: square(6),
    start: [-0.4, -1],
    minima: [
      [3, 2],
      [-2.805118, 3.131312],
      [-3.77931, -3.283186],
      [3.584428, -1.848126],
    ],
    noise: 0,
    description: "Four minima of the same value: which one is found depends on the optimizer.",
  },
  {
    name: "rastrigin",
    title: "Rastrigin",
    formula: "20 + x^2 - 10*cos(2*pi*x) + y^2 - 10*cos(2*pi*y)",
    extent: square(5.12),
    start: [3.3, -2.6],
    minima: [[0, 0]],
    noise: 0,
    description: "A bowl with about a hundred local minima.",
  },
  {
    name: "styblinski-tang",
    title: "Styblinski–Tang",
    formula: "(x^4 - 16*x^2 + 5*x + y^4 - 16*y^2 + 5*y) / 2",
    extent: square(5),
    start: [0.5, 4],
    minima: [[-2.903534, -2.903534]],
    noise: 0,
    description: "Four minima, of which one is the lowest.",
  },
  {
    name: "saddle",
    title: "Saddle",
    formula: "x^2 - y^2 + y^4/8",
    extent: { xMin: -3, xMax: 3, yMin: -3, yMax: 3 },
    start: [-2.2, 0.001],
    minima: [
      [0, 2],
      [0, -2],
    ],
    noise: 0,
    description: "The start is on the ridge: the slope to either minimum is almost 0.",
  },
  {
    name: "valley",
    title: "Narrow valley",
    formula: "((x + y)^2 + 50*(x - y)^2) / 4",
    extent: square(4),
    start: [-3.4, -2.4],
    minima: [[0, 0]],
    noise: 0,
    description:
      "A quadratic function that is 50 times as steep across as along, and not in line with the axes.",
  },
  {
    name: "noisy",
    title: "Noisy bowl",
    formula: "x^2/2 + 2*y^2",
    extent: square(4),
    start: [-3.2, 2.4],
    minima: [[0, 0]],
    noise: 4,
    description:
      "A bowl whose gradients have noise, as those of small batches do. All runners get the same noise.",
  },
  {
    name: "ackley",
    title: "Ackley",
    formula: "20 + e - 20*exp(-0.2*sqrt((x^2 + y^2)/2)) - exp((cos(2*pi*x) + cos(2*pi*y))/2)",
    extent: square(5),
    start: [-3.4, 2.6],
    minima: [[0, 0]],
    noise: 0,
    description: "Nearly flat with many local minima, around one deep hole.",
  },
  {
    name: "goldstein-price",
    title: "Goldstein–Price",
    formula:
      "(1 + (x + y + 1)^2*(19 - 14*x + 3*x^2 - 14*y + 6*x*y + 3*y^2)) * (30 + (2*x - 3*y)^2*(18 - 32*x + 12*x^2 + 48*y - 36*x*y + 27*y^2))",
    extent: square(2),
    start: [-1.4, 0.8],
    minima: [[0, -1]],
    noise: 0,
    description: "Values from 3 to a million, and three local minima.",
  },
  {
    name: "camel",
    title: "Six-hump camel",
    formula: "(4 - 2.1*x^2 + x^4/3)*x^2 + x*y + (4*y^2 - 4)*y^2",
    extent: { xMin: -2, xMax: 2, yMin: -1.3, yMax: 1.3 },
    start: [-1.7, 1],
    minima: [
      [0.089842, -0.712656],
      [-0.089842, 0.712656],
    ],
    noise: 0,
    description: "Six minima, of which two are the lowest.",
  },
  {
    name: "mccormick",
    title: "McCormick",
    formula: "sin(x + y) + (x - y)^2 - 1.5*x + 2.5*y + 1",
    extent: { xMin: -3, xMax: 4, yMin: -3.5, yMax: 3.5 },
    start: [3.2, -1],
    minima: [[-0.547198, -1.547198]],
    noise: 0,
    description: "A tilted wave: one minimum, and another one further down the wave.",
  },
];
