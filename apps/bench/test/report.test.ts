import { expect, test } from "vitest";
import type { Row } from "../src/measure.js";
import { percent, time } from "../src/report/format.js";
import { headlines } from "../src/report/headlines.js";
import { tableOf, titleOf } from "../src/report/table.js";

const common = {
  workload: "adam-1.6e7",
  size: 1.6e7,
  tensors: 1,
  rounds: 9,
  extraBytesPerParameter: 8,
};
const more = { allocatedBytesPerStep: 0, largestErrorOverTolerance: 0.1 };
const rows: Row[] = [
  {
    ...common,
    ...more,
    contender: "hand",
    medianNs: 2.5e8,
    minNs: 2e8,
    speedups: { "cpu-js": 0.5, "tfjs-cpu": 80 },
  },
  {
    ...common,
    ...more,
    contender: "cpu-js",
    medianNs: 1.25e8,
    minNs: 1e8,
    speedups: { hand: 2, "tfjs-cpu": 160 },
  },
  {
    ...common,
    ...more,
    contender: "tfjs-cpu",
    medianNs: 2e10,
    minNs: 1.9e10,
    speedups: { hand: 0.0125, "cpu-js": 0.00625 },
  },
];

test("numbers have a suitable unit and three digits", () => {
  expect([12.34, 1234, 5.6e6, 1.25e9].map(time)).toEqual([
    "12.3 ns",
    "1.23 µs",
    "5.60 ms",
    "1.25 s",
  ]);
  expect([0.931, 0.004].map(percent)).toEqual(["93.1 %", "0.400 %"]);
});

test("a table has a line for each contender, in 100 columns", () => {
  const lines = tableOf(rows).split("\n");
  expect(lines).toHaveLength(4);
  expect(lines[0]).toMatch(/vs hand +vs tfjs-cpu/);
  expect(lines[2]).toMatch(/cpu-js +125 ms +100 ms +2\.00× +160× +8 +0 B/);
  expect(lines[3]).toMatch(/tfjs-cpu +20\.0 s +19\.0 s +0\.0125× +– /);
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(100);
  expect(titleOf(rows[0])).toBe(
    "adam-1.6e7: 16,000,000 parameters in 1 tensor, medians of 9 rounds",
  );
});

test("where a table is too wide, each contender has a paragraph", () => {
  const lines = tableOf(rows, 40).split("\n");
  expect(lines.slice(4, 7)).toEqual([
    "  cpu-js",
    "    per step 125 ms, fastest 100 ms,",
    "    vs hand 2.00×, vs tfjs-cpu 160×,",
  ]);
  expect(lines.join(" ")).not.toContain("–");
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(40);
  expect(tableOf(rows, 100)).toBe(tableOf(rows));
});

test("headlines are speedups, memory and allocations; there are none without rows", () => {
  expect(headlines([])).toEqual([]);
  expect(headlines(rows)).toEqual([
    "On adam-1.6e7, cpu-js is 2.00× faster than hand and 160× faster than tfjs-cpu",
    "cpu-js holds 8 bytes per parameter and allocates nothing per step",
  ]);
});

test("headlines of chains, accumulation and sparse steps are relative to Adam, and to TF.js's operations", () => {
  const row = (workload: string, contender: string, speedups: Row["speedups"]): Row => ({
    ...common,
    ...more,
    workload,
    contender,
    medianNs: 1e6,
    minNs: 1e6,
    speedups,
  });
  expect(
    headlines([
      row("chains", "adam", { "adam+ema": 1.5, "tfjs-wasm ops": 30 }),
      row("chains", "adam+ema", { adam: 0.8, "tfjs-wasm ops": 25 }),
      row("accumulation", "accumulate 4", { adam: 0.4, "tfjs-wasm ops": 5 }),
      row("sparse", "lazy", { "rows alone": 0.5, "tfjs-wasm ops": 250 }),
      row("sparse", "tfjs-wasm ops", { "rows alone": 0.001, lazy: 0.004 }),
    ]),
  ).toEqual([
    "adam+ema takes 1.25× the time of adam",
    "accumulate 4 takes 2.50× the time of adam, and is 5.00× faster than TF.js's operations",
    "lazy takes 2.00× the time of rows alone, and is 250× faster than TF.js's operations",
  ]);
});

test("on a GPU the headlines are about bandwidth and about other shaders", () => {
  const speedups = { copy: 0.8, wgsl: 1.25, "tfjs-webgpu": 20 };
  const row = { ...common, ...more, contender: "webgpu", medianNs: 1e6, minNs: 9e5, speedups };
  const scalars = { ...row, workload: "scalars", size: 180, tensors: 180 };
  expect(headlines([scalars, row])).toEqual([
    "webgpu reaches, of a copying shader's bandwidth: 80.0 % (adam-1.6e7)",
    "On scalars, webgpu is 1.25× faster than wgsl and 20.0× faster than tfjs-webgpu",
    "On adam-1.6e7, webgpu is 1.25× faster than wgsl and 20.0× faster than tfjs-webgpu",
    "webgpu holds 8 bytes per parameter",
  ]);
  const lines = tableOf([row, { ...row, contender: "copy", speedups: { webgpu: 1 / 13_604 } }]);
  expect(lines).toContain("vs copy");
});
