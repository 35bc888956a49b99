import Table from "cli-table3";
import type { Row } from "../bench.js";
import { bytes, count, ratio, time } from "./figures.js";

/** The rivals that have a column of their own. */
const shown = ["hand", "tfjs-cpu", "tfjs-wasm", "copy", "wgsl", "tfjs-webgpu"];

/** A workload's rows as lines of at most 100 characters. */
export function tableOf(rows: readonly Row[]): string {
  const rivals = shown.filter((name) => rows.some(({ contender }) => contender === name));
  const table = new Table({
    head: [
      "",
      "a step",
      "fastest",
      ...rivals.map((name) => `/ ${name}`),
      "state/param",
      "heap/step",
    ],
    colAligns: ["left", ...Array.from({ length: 4 + rivals.length }, () => "right" as const)],
    chars: bare,
    style: { head: [], border: [], "padding-left": 2, "padding-right": 1 },
  });
  for (const row of rows) {
    table.push([
      row.contender,
      time(row.medianNs),
      time(row.minNs),
      ...rivals.map((name) => (name in row.ratios ? ratio(row.ratios[name]) : "1")),
      `${Number(row.extraBytesPerParameter.toFixed(2))} B`,
      bytes(row.allocatedBytesPerStep),
    ]);
  }
  return table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

/** `adam-1e5: 100,000 parameters in 1 tensor, medians of 101 rounds` */
export function titleOf({ workload, size, tensors, rounds }: Row): string {
  const place = tensors === 1 ? "one tensor" : `${count(tensors)} tensors`;
  return `${workload}: ${count(size)} parameters in ${place}, medians of ${rounds} rounds`;
}

/** No frames: columns are enough. */
const bare = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "",
};
