import { smallestObject } from "../allocation.js";
import type { Row } from "../bench.js";
import { bytes, percent, ratio, speedup, time } from "./figures.js";

/** What a reader should take away, a line each: only what these rows show. */
export function headlines(rows: readonly Row[]): string[] {
  const onGpu = rows.filter(({ contender }) => contender === "webgpu");
  if (onGpu.length > 0) return gpuHeadlines(onGpu);
  const own = rows.filter(({ contender }) => contender === "cpu-js");
  const single = own.filter(({ tensors, ratios }) => tensors === 1 && "hand" in ratios);
  const lines: string[] = [];
  if (single.length > 0) {
    const each = single.map(({ workload, ratios }) => `${ratio(ratios["hand"])} (${workload})`);
    lines.push(`cpu-js takes, of the time of the loop people write: ${each.join(", ")}`);
  }
  for (const { workload, ratios } of own.filter(
    ({ tensors, size }) => tensors > 1 && size > tensors,
  )) {
    const each = ["tfjs-cpu", "tfjs-wasm"]
      .filter((name) => name in ratios)
      .map((name) => `${speedup(ratios[name])} faster than ${name}`);
    if (each.length > 0) lines.push(`On the ${workload}, cpu-js is ${each.join(" and ")}`);
  }
  for (const { size, medianNs } of own.filter(
    ({ tensors, size }) => tensors > 1 && size === tensors,
  )) {
    lines.push(`A tensor costs cpu-js ${time(medianNs / size)} beside its elements`);
  }
  if (own.length > 0) {
    const most = Math.max(...own.map((row) => row.allocatedBytesPerStep));
    const state = Math.max(...own.map((row) => row.extraBytesPerParameter));
    lines.push(
      `cpu-js holds ${Number(state.toFixed(2))} bytes a parameter and allocates ${most < smallestObject ? "nothing" : `at most ${bytes(most)}`} in a step`,
    );
  }
  return lines;
}

/** The same for rows of a GPU. A step and the copy beside it move as many bytes. */
function gpuHeadlines(own: readonly Row[]): string[] {
  const lines: string[] = [];
  const large = own.filter(({ tensors, size, ratios }) => size > tensors && "copy" in ratios);
  if (large.length > 0) {
    const each = large.map(
      ({ workload, ratios }) => `${percent(1 / ratios["copy"])} (${workload})`,
    );
    lines.push(`webgpu reaches, of a copying shader's bandwidth: ${each.join(", ")}`);
  }
  for (const { workload, ratios } of own) {
    const each = ["wgsl", "tfjs-webgpu"]
      .filter((name) => name in ratios)
      .map((name) => `${speedup(ratios[name])} as fast as ${name}`);
    if (each.length > 0) lines.push(`On ${workload}, webgpu is ${each.join(" and ")}`);
  }
  const state = Math.max(...own.map((row) => row.extraBytesPerParameter));
  lines.push(`webgpu holds ${Number(state.toFixed(2))} bytes a parameter`);
  return lines;
}
