import { writeFileSync } from "node:fs";
import { findGpu, type Gpu } from "@gradstep/apps-shared/gpu";
import colors from "picocolors";
import { measure, type Row } from "./bench.js";
import { contenders as cpuContenders } from "./contenders/index.js";
import { gpuContenders } from "./contenders/webgpu/index.js";
import { makeBlock } from "./data.js";
import { documentOf } from "./document.js";
import { expectedAfterGate, gateSteps, tolerance } from "./gate.js";
import { thisMachine } from "./machine.js";
import { type Native, nativeLimit } from "./native.js";
import { helpText, OptionsError, parseOptions } from "./options.js";
import { count, ratio, time } from "./report/figures.js";
import { headlines } from "./report/headlines.js";
import { tableOf, titleOf } from "./report/table.js";
import type { Effort } from "./timing.js";
import { workloads } from "./workloads/index.js";

const seed = 1;
const full: Effort = {
  warmUpNs: 5e8,
  turnNs: 4e6,
  workloadNs: 2e10,
  rounds: [9, 201],
  watchNs: 5e8,
};
const quick: Effort = {
  warmUpNs: 1e8,
  turnNs: 1e6,
  workloadNs: 1.5e9,
  rounds: [3, 51],
  watchNs: 1e8,
};

/** Does what the command line says and returns the exit status. */
async function main(args: readonly string[]): Promise<number> {
  const names = workloads.map(({ name }) => name);
  const options = parseOptions(args, names);
  const print = (text = ""): void => void process.stdout.write(`${text}\n`);
  if (options.help) {
    print(helpText(names));
    return 0;
  }
  const asked = options.workloads.length === 0 ? names : options.workloads;
  const isLeftOut = ({ name, long = false }: { name: string; long?: boolean }): boolean =>
    !asked.includes(name) || (options.quick && long && !options.workloads.includes(name));
  const leftOut = workloads.filter(isLeftOut).map(({ name }) => name);

  const gpu = options.backend === "webgpu" ? await gpuOrNothing() : undefined;
  const contenders = gpu === undefined ? cpuContenders : gpuContenders;
  const machine = thisMachine(gpu);
  print(`${machine.cpu}, ${machine.cores} cores, Node ${machine.node}`);
  if (gpu !== undefined) {
    print(
      gpu.isSoftware
        ? colors.yellow(`No GPU: ${gpu.description} computes, whose figures say nothing about one.`)
        : gpu.description,
    );
    print("Times are of many steps, until the GPU is done with them.");
  }
  for (const { name, description } of contenders) print(`  ${name.padEnd(13)} ${description}`);
  print(
    `Before it is timed, every element is within ${tolerance.ofLearningRate} of the rate of the f64 oracle, for ${gateSteps} steps.`,
  );
  if (leftOut.length > 0) {
    print(`${options.quick ? "Quick: few rounds. " : ""}Left out: ${leftOut.join(", ")}.`);
  }

  const block = makeBlock(seed);
  const expected = expectedAfterGate(block);
  const rows: Row[] = [];
  const native: Native[] = [];
  for (const workload of workloads) {
    if (leftOut.includes(workload.name)) continue;
    progress(`measuring ${workload.name}…`);
    const measured = await measure(
      workload,
      contenders,
      block,
      expected,
      options.quick ? quick : full,
    );
    rows.push(...measured);
    const [{ size, tensors }] = measured;
    progress("");
    print(`\n${colors.bold(titleOf(measured[0]))}\n${tableOf(measured)}`);
    // The program knows one array: beside tensors of one value each it would say nothing.
    if (options.native !== undefined && size > tensors) {
      const limit = await nativeLimit(options.native, workload.name, size);
      native.push(limit);
      print(nativeLine(limit, measured));
    }
  }
  print();
  for (const line of headlines(rows)) print(colors.bold(line));
  if (options.json !== undefined) {
    const document = documentOf({
      machine,
      quick: options.quick,
      seed,
      leftOut,
      rows,
      ...(options.native === undefined ? {} : { native }),
    });
    writeFileSync(options.json, `${JSON.stringify(document, null, 2)}\n`);
    print(`${count(rows.length)} rows written to ${options.json}`);
  }
  return 0;
}

/** @throws {OptionsError} where there is neither a GPU nor a driver in software */
async function gpuOrNothing(): Promise<Gpu> {
  try {
    return await findGpu();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new OptionsError(`Got --backend webgpu, which does not start: ${why}`);
  }
}

function nativeLine({ kernel, ns }: Native, rows: readonly Row[]): string {
  const own = rows.find(({ contender }) => contender === "cpu-js")!;
  return `  native: ${time(ns)} with ${kernel} on one thread, measured apart; cpu-js takes ${ratio(own.medianNs / ns)} that`;
}

/** A line that the next one replaces, where somebody watches. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
}

// A reader that has seen enough (`| head`) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  progress("");
  const isUsage = error instanceof OptionsError;
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = isUsage ? 2 : 1;
}
