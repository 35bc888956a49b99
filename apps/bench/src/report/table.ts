import { count, speedupText } from "@gradstep/apps-shared/format";
import Table from "cli-table3";
import type { Row } from "../measure.js";
import { bytes, time } from "./format.js";

/** The contenders over which a speedup is shown. */
const rivals = [
  "hand",
  "tfjs-cpu",
  "tfjs-wasm",
  "copy",
  "wgsl",
  "tfjs-webgpu",
  "adam",
  "rows alone",
  "tfjs-wasm ops",
];

/** A workload's rows as lines of at most 100 characters. */
export function tableOf(rows: readonly Row[]): string {
  const shown = rivals.filter((name) => rows.some(({ contender }) => contender === name));
  const table = new Table({
    head: ["", "per step", "fastest", ...shown.map((name) => `vs ${name}`), "B/param", "heap/step"],
    colAligns: ["left", ...Array.from({ length: 4 + shown.length }, () => "right" as const)],
    chars: noFrame,
    style: { head: [], border: [], "padding-left": 2, "padding-right": 0 },
  });
  for (const row of rows) {
    table.push([
      row.contender,
      time(row.medianNs),
      time(row.minNs),
      ...shown.map((name) => (name in row.speedups ? speedupText(row.speedups[name]) : "–")),
      `${Number(row.extraBytesPerParameter.toFixed(2))}`,
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
  return `${workload}: ${count(size, "parameter")} in ${count(tensors, "tensor")}, medians of ${rounds} rounds`;
}

const noFrame = {
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
