import { expect, test } from "vitest";
import type { Row } from "../src/bench.js";
import { ratio, time } from "../src/report/figures.js";
import { headlines } from "../src/report/headlines.js";
import { tableOf, titleOf } from "../src/report/table.js";

const common = {
  workload: "adam-1.6e7",
  size: 1.6e7,
  tensors: 1,
  rounds: 9,
  extraBytesPerParameter: 8,
};
const rest = { allocatedBytesPerStep: 0, worstErrorOverTolerance: 0.1 };
const rows: Row[] = [
  {
    ...common,
    ...rest,
    contender: "hand",
    medianNs: 2.5e8,
    minNs: 2e8,
    ratios: { "cpu-js": 2, "tfjs-cpu": 0.0125 },
  },
  {
    ...common,
    ...rest,
    contender: "cpu-js",
    medianNs: 1.25e8,
    minNs: 1e8,
    ratios: { hand: 0.5, "tfjs-cpu": 0.00625 },
  },
  {
    ...common,
    ...rest,
    contender: "tfjs-cpu",
    medianNs: 2e10,
    minNs: 1.9e10,
    ratios: { hand: 80, "cpu-js": 160 },
  },
];

test("figures have the unit and the digits that suit them", () => {
  expect([12.34, 1234, 5.6e6, 1.25e9].map(time)).toEqual([
    "12.3 ns",
    "1.23 µs",
    "5.60 ms",
    "1.25 s",
  ]);
  expect([0.5, 0.00314, 1, 31.4159, 1234].map(ratio)).toEqual([
    "0.50×",
    "0.0031×",
    "1.00×",
    "31.4×",
    "1,234×",
  ]);
});

test("a table has a line for each contender, in 100 columns", () => {
  const lines = tableOf(rows).split("\n");
  expect(lines).toHaveLength(4);
  expect(lines[2]).toMatch(/cpu-js +125 ms +100 ms +0\.50× +0\.0063× +8 B +0 B/);
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(100);
  expect(titleOf(rows[0])).toBe(
    "adam-1.6e7: 16,000,000 parameters in one tensor, medians of 9 rounds",
  );
});

test("headlines say what the rows show, and nothing without rows", () => {
  expect(headlines([])).toEqual([]);
  expect(headlines(rows).join("\n")).toContain("0.50× (adam-1.6e7)");
  expect(headlines(rows).join("\n")).toContain("allocates nothing in a step");
});

test("on a GPU the headlines are about bandwidth and about other shaders", () => {
  const ratios = { copy: 1.25, wgsl: 0.8, "tfjs-webgpu": 0.05 };
  const row = { ...common, ...rest, contender: "webgpu", medianNs: 1e6, minNs: 9e5, ratios };
  const one = { ...row, workload: "scalars", size: 180, tensors: 180 };
  expect(headlines([one, row])).toEqual([
    "webgpu reaches, of a copying shader's bandwidth: 80.0 % (adam-1.6e7)",
    "On scalars, webgpu is 1.25× as fast as wgsl and 20.0× as fast as tfjs-webgpu",
    "On adam-1.6e7, webgpu is 1.25× as fast as wgsl and 20.0× as fast as tfjs-webgpu",
    "webgpu holds 8 bytes a parameter",
  ]);
  const lines = tableOf([row, { ...row, contender: "copy", ratios: { webgpu: 13_604 } }]);
  expect(lines).toContain("/ copy");
});
