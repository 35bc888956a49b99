import { count, speedupText } from "@gradstep/apps-shared/format";
import Table from "cli-table3";
import { wrap } from "../../../shared/src/command-line.mjs";
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

/**
 * The rows of a workload. No line is longer than the width, or than 100 characters: if a table is wider, each row becomes a
 * paragraph.
 */
export function tableOf(rows: readonly Row[], columns = 100): string {
  const shown = rivals.filter((name) => rows.some(({ contender }) => contender === name));
  const head = [
    "per step",
    "fastest",
    ...shown.map((name) => `vs ${name}`),
    "B/param",
    "heap/step",
  ];
  const cells = rows.map((row) => [
    time(row.medianNs),
    time(row.minNs),
    ...shown.map((name) => (name in row.speedups ? speedupText(row.speedups[name]) : "–")),
    `${Number(row.extraBytesPerParameter.toFixed(2))}`,
    bytes(row.allocatedBytesPerStep),
  ]);
  const table = new Table({
    head: ["", ...head],
    colAligns: ["left", ...Array.from({ length: 4 + shown.length }, () => "right" as const)],
    chars: noFrame,
    style: { head: [], border: [], "padding-left": 2, "padding-right": 0 },
  });
  rows.forEach(({ contender }, i) => table.push([contender, ...cells[i]]));
  const lines = table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd());
  if (lines.every(({ length }) => length <= columns)) return lines.join("\n");
  return rows
    .flatMap(({ contender }, i) => paragraph(contender, head, cells[i], columns))
    .join("\n");
}

function paragraph(
  contender: string,
  head: readonly string[],
  cells: readonly string[],
  columns: number,
): string[] {
  const values = head.flatMap((name, i) => (cells[i] === "–" ? [] : [`${name} ${cells[i]}`]));
  const text = values.map((value) => value.replaceAll(" ", nonBreaking)).join(", ");
  const lines = wrap(text, columns - 4).map((line) => `    ${line.replaceAll(nonBreaking, " ")}`);
  return [`  ${contender}`, ...lines];
}

/** Stands for spaces where a line must not end. */
const nonBreaking = "\u00a0";

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
