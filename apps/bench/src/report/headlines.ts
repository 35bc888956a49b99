import { speedupText } from "@gradstep/apps-shared/format";
import { smallestObject } from "../allocation.js";
import type { Row } from "../measure.js";
import { bytes, percent, time } from "./format.js";

/** The main results of these rows, one per line. */
export function headlines(rows: readonly Row[]): string[] {
  const gpuRows = rows.filter(({ contender }) => contender === "webgpu");
  if (gpuRows.length > 0) return gpuHeadlines(gpuRows);
  const own = rows.filter(({ contender }) => contender === "cpu-js");
  const lines = speedupLines(own, ["hand", "tfjs-cpu"]);
  lines.push(
    ...speedupLines(
      rows.filter(({ contender }) => contender === "wasm"),
      ["hand", "tfjs-wasm"],
    ),
  );
  for (const { size, medianNs } of own.filter(isScalars)) {
    lines.push(`cpu-js takes ${time(medianNs / size)} per tensor, besides its elements`);
  }
  lines.push(
    ...relativeTimes(rows, "chains", "adam", ["clip+adamw+ema"]),
    ...relativeTimes(rows, "accumulation", "adam", ["accumulate 4"]),
    ...speedupLines(
      rows.filter(
        ({ workload, contender }) => workload === "language-model" && contender === "gradstep",
      ),
      ["tfjs-wasm ops"],
    ),
    ...rows.flatMap(({ workload, contender, heldTensors }) =>
      heldTensors === undefined
        ? []
        : [`On ${workload}, ${contender} keeps ${heldTensors} tensors of TF.js from step to step`],
    ),
    ...relativeTimes(rows, "sparse", "rows alone", ["lazy", "rowSteps", "dense"]),
    ...relativeTimes(rows, "sparse-1e6", "rows alone", []),
  );
  if (own.length > 0) {
    const most = Math.max(...own.map((row) => row.allocatedBytesPerStep));
    lines.push(
      `cpu-js holds ${stateText(own)} per parameter and allocates ${most < smallestObject ? "nothing" : `at most ${bytes(most)}`} per step`,
    );
  }
  return lines;
}

/**
 * "lazy takes 2.00× the time of rows alone, and is 253× faster than TF.js's operations"
 *
 * @param compared what TF.js's operations compute, too
 */
function relativeTimes(
  rows: readonly Row[],
  workload: string,
  base: string,
  compared: readonly string[],
): string[] {
  return rows
    .filter((row) => row.workload === workload && base in row.speedups)
    .filter(({ contender }) => !contender.startsWith("tfjs"))
    .map(({ contender, speedups }) => {
      const rival = compared.includes(contender) ? speedups["tfjs-wasm ops"] : undefined;
      return (
        `${contender} takes ${(1 / speedups[base]).toFixed(2)}× the time of ${base}` +
        (rival === undefined ? "" : `, and is ${speedupText(rival)} faster than TF.js's operations`)
      );
    });
}

/** The same for rows of a GPU. The copying shader moves as many bytes as a step. */
function gpuHeadlines(own: readonly Row[]): string[] {
  const lines: string[] = [];
  const large = own.filter((row) => !isScalars(row) && "copy" in row.speedups);
  if (large.length > 0) {
    const each = large.map(
      ({ workload, speedups }) => `${percent(speedups["copy"])} (${workload})`,
    );
    lines.push(`webgpu reaches, of a copying shader's bandwidth: ${each.join(", ")}`);
  }
  lines.push(...speedupLines(own, ["wgsl", "tfjs-webgpu"]));
  lines.push(`webgpu holds ${stateText(own)} per parameter`);
  return lines;
}

/** "On model, cpu-js is 2.44× faster than hand and 38.5× faster than tfjs-cpu" */
function speedupLines(rows: readonly Row[], rivals: readonly string[]): string[] {
  return rows
    .filter((row) => !isScalars(row) || row.contender === "webgpu")
    .flatMap(({ workload, contender, speedups }) => {
      const each = rivals
        .filter((name) => name in speedups)
        .map((name) => `${speedupText(speedups[name])} faster than ${name}`);
      return each.length > 0 ? [`On ${workload}, ${contender} is ${each.join(" and ")}`] : [];
    });
}

/** Whether each tensor has one value, so that the time is the overhead per tensor. */
function isScalars({ tensors, size }: Row): boolean {
  return tensors === size;
}

function stateText(rows: readonly Row[]): string {
  const most = Math.max(...rows.map((row) => row.extraBytesPerParameter));
  return `${Number(most.toFixed(2))} bytes`;
}
