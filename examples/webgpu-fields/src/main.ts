import { nodeGpu, webgpu } from "@gradstep/webgpu/node";
import { compare } from "./comparison.js";
import { lineCount } from "./line-count.js";

const print = (text: string): void => void process.stdout.write(`${text}\n`);

const { description } = await nodeGpu();
const backend = await webgpu();
const [rows, steps] = [100_000, 200];
print(`${rows} rows of 16 floats, ${steps} steps on ${description}`);
const { stepDispatches, resetDispatches, worst } = await compare(backend.device, rows, steps);
print(`gradstep: ${stepDispatches} dispatch per step, ${resetDispatches} per reset of the opacity`);
print(`largest relative difference to the optimizer by hand: ${worst.toExponential(1)}`);
print(`lines: ${lineCount("with-gradstep.ts")} with gradstep, ${lineCount("by-hand.ts")} by hand`);
backend.dispose();
