import { writeFileSync } from "node:fs";
import { count, speedupText } from "@gradstep/apps-shared/format";
import { findGpu, type Gpu } from "@gradstep/apps-shared/gpu";
import colors from "picocolors";
import { wrap } from "../../shared/src/command-line.mjs";
import { contenders as cpuContenders } from "./contenders/index.js";
import type { Contender } from "./contenders/contender.js";
import { gpuContenders } from "./contenders/webgpu/index.js";
import { expectedParameters, tolerance } from "./correctness.js";
import { makeBlock } from "./data.js";
import { documentOf } from "./document.js";
import { thisMachine } from "./machine.js";
import { measure, type Row } from "./measure.js";
import { measureNative, type Native } from "./native.js";
import { helpText, OptionsError, parseOptions } from "./options.mjs";
import { time } from "./report/format.js";
import { headlines } from "./report/headlines.js";
import { tableOf, titleOf } from "./report/table.js";
import type { Budget } from "./timing.js";
import { workloads, type Benchmark } from "./workloads/index.js";

const seed = 1;
const full: Budget = {
  warmUpNs: 5e8,
  turnNs: 4e6,
  workloadNs: 2e10,
  rounds: [9, 201],
  allocationNs: 5e8,
};
const quick: Budget = {
  warmUpNs: 5e7,
  turnNs: 1e6,
  workloadNs: 8e8,
  rounds: [3, 51],
  allocationNs: 5e7,
};

/** Runs the command line and returns the exit status. */
async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  const columns = Math.min(100, process.stdout.columns || 100);
  const print = (text = ""): void => void process.stdout.write(`${text}\n`);
  const printText = (text: string, style: (line: string) => string = String): void => {
    for (const line of wrap(text, columns)) print(style(line));
  };
  if (options.help) {
    print(helpText(process.stdout.columns));
    return 0;
  }
  const printContender = (
    { name, description }: Pick<Contender, "name" | "description">,
    width: number,
  ): void => {
    const label = `  ${name.padEnd(width)} `;
    const lines = wrap(description, columns - label.length);
    for (const [i, line] of lines.entries())
      print((i === 0 ? label : " ".repeat(label.length)) + line);
  };
  const chosen: readonly string[] = options.workloads;
  const isSkipped = ({ name, long = false, contenders: own }: Benchmark): boolean =>
    // Workloads with contenders of their own have none on a GPU.
    (own !== undefined && options.backend === "webgpu") ||
    (chosen.length > 0 ? !chosen.includes(name) : options.quick && long);
  const skipped = workloads.filter(isSkipped).map(({ name }) => name);

  const gpu = options.backend === "webgpu" ? await gpuOrError() : undefined;
  const contenders = gpu === undefined ? cpuContenders : gpuContenders;
  const machine = thisMachine(gpu);
  printText(`${machine.cpu}, ${machine.cores} cores, Node ${machine.node}`);
  if (gpu !== undefined) {
    if (gpu.isSoftware)
      printText(
        `No GPU: ${gpu.description} computes on the CPU; its times say nothing about a GPU.`,
        colors.yellow,
      );
    else printText(gpu.description);
    printText("Times are of many steps, until the GPU has finished them.");
  }
  const measured = workloads.filter((workload) => !isSkipped(workload));
  if (measured.some(({ contenders: own }) => own === undefined))
    for (const one of contenders) printContender(one, 13);
  printText(
    `Checked first: every element is within ${tolerance.ofLearningRate} × the learning rate of the f64 oracle per step.`,
  );
  printText("“vs X” is X's time divided by the row's own: above 1, the row is faster.");
  if (skipped.length > 0) {
    const text = `${options.quick ? "Quick: few rounds. " : ""}Skipped: ${skipped.join(", ")}.`;
    printText(text);
  }

  const block = makeBlock(seed);
  const measurement = {
    block,
    expected: expectedParameters(block),
    budget: options.quick ? quick : full,
  };
  const rows: Row[] = [];
  const native: Native[] = [];
  for (const workload of measured) {
    showProgress(`measuring ${workload.name}…`);
    const own = await measure(workload, workload.contenders ?? contenders, measurement);
    rows.push(...own);
    const [{ size, tensors }] = own;
    showProgress("");
    print();
    printText(titleOf(own[0]), colors.bold);
    for (const one of workload.contenders ?? []) printContender(one, 15);
    print(tableOf(own, columns));
    // The program measures one array, which says nothing about tensors of one value each.
    if (options.native !== undefined && size > tensors && workload.contenders === undefined) {
      const limit = await measureNative(options.native, workload.name, size);
      native.push(limit);
      printText(nativeLine(limit, own));
    }
  }
  print();
  for (const line of headlines(rows)) printText(line, colors.bold);
  if (options.json !== undefined) {
    const document = documentOf({
      machine,
      quick: options.quick,
      seed,
      skipped,
      rows,
      ...(options.native === undefined ? {} : { native }),
    });
    writeFileSync(options.json, `${JSON.stringify(document, null, 2)}\n`);
    print(`${count(rows.length, "row")} written to ${options.json}`);
  }
  return 0;
}

/** @throws {OptionsError} if there is neither a GPU nor a software driver */
async function gpuOrError(): Promise<Gpu> {
  try {
    return await findGpu();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new OptionsError(`Got --backend webgpu, which does not start: ${reason}`);
  }
}

function nativeLine({ kernel, ns }: Native, rows: readonly Row[]): string {
  const own = rows.find(({ contender }) => contender === "wasm")!;
  return `native: ${time(ns)} with ${kernel} on one thread, measured separately; wasm vs native: ${speedupText(ns / own.medianNs)}`;
}

/** Shows a line that the next one replaces, on a terminal. */
function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
}

// A reader that has read enough (`| head`) is not an error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  showProgress("");
  const isUserError = error instanceof OptionsError;
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = isUserError ? 2 : 1;
}
