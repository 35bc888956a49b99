import { nodeGpu, webgpu } from "@gradstep/webgpu/node";
import { difference, runBoth, type Run } from "./compare.js";
import { lineCount } from "./line-count.js";

const size = { rows: 100_000, steps: 64, densifyEvery: 20 };

/** The two round differently in each of 64 steps, and a step changes a value by 1e-4 or more. */
const tolerance = 1e-5;

const number = (value: number): string => value.toLocaleString("en");
const print = (text = ""): void => void process.stdout.write(`${text}\n`);

const { description } = await nodeGpu();
const backend = await webgpu();
print(`${number(size.rows)} points, ${size.steps} steps, on ${description}`);
const { withGradstep, byHand } = await runBoth(backend, size);

const steps = ({ stepDispatches }: Run): string =>
  [...stepDispatches.keys()].sort((a, b) => a - b).join(" or ");
const remaps = ({ remapDispatches }: Run): string => [...remapDispatches].join(" or ");
const lines = [
  lineCount("with-gradstep.ts"),
  lineCount("by-hand/by-hand.ts") + lineCount("by-hand/shaders.ts"),
];
const row = (name: string, one: unknown, other: unknown): void =>
  print(`${name.padEnd(24)}${String(one).padStart(14)}${String(other).padStart(14)}`);
print();
row("", "with gradstep", "by hand");
row("points at the end", number(withGradstep.rows), number(byHand.rows));
row("lines of code", ...(lines as [number, number]));
row("dispatches per step", steps(withGradstep), steps(byHand));
row("dispatches per remap", remaps(withGradstep), remaps(byHand));
print();
const largest = difference(withGradstep, byHand);
const agree = largest < tolerance;
print(
  `${agree ? "They agree" : "They do not agree"}: the largest difference is ${largest.toExponential(1)}.`,
);
backend.dispose();
process.exitCode = agree ? 0 : 1;
