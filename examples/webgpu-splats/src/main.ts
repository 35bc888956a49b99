import { nodeGpu, webgpu } from "@gradstep/webgpu/node";
import { difference, runBoth, type Run } from "./compare.js";
import { linesOf } from "./lines.js";

const effort = { rows: 100_000, steps: 64, densifyEvery: 20 };

/** Both have rounded 64 times, each in its own way, where a step moves a value by 1e-4 and more. */
const tolerance = 1e-5;

const print = (text = ""): void => void process.stdout.write(`${text}\n`);

const { description } = await nodeGpu();
const backend = await webgpu();
print(`${effort.rows.toLocaleString("en")} points, ${effort.steps} steps, on ${description}`);
const { withGradstep, byHand } = await runBoth(backend, effort);

const steps = ({ stepDispatches }: Run): string =>
  [...stepDispatches.keys()].sort((a, b) => a - b).join(" or ");
const remaps = ({ remapDispatches }: Run): string => [...remapDispatches].join(" or ");
const lines = [
  linesOf("with-gradstep.ts"),
  linesOf("by-hand/by-hand.ts") + linesOf("by-hand/shaders.ts"),
];
const row = (name: string, one: unknown, other: unknown): void =>
  print(`${name.padEnd(24)}${String(one).padStart(14)}${String(other).padStart(14)}`);
print();
row("", "with gradstep", "by hand");
row("points at the end", withGradstep.rows, byHand.rows);
row("lines of code", ...(lines as [number, number]));
row("dispatches a step", steps(withGradstep), steps(byHand));
row("dispatches a remap", remaps(withGradstep), remaps(byHand));
print();
const largest = difference(withGradstep, byHand);
const agree = largest < tolerance;
print(`${agree ? "They agree" : "They do not agree"}: the largest difference is ${largest}.`);
backend.dispose();
process.exitCode = agree ? 0 : 1;
