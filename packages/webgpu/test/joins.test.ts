// The kernel that joins partial results, executed here: its text with the invocations of a workgroup in lockstep.
import type { ReduceOp } from "@gradstep/core";
import { compileFunction } from "node:vm";
import { expect, test } from "vitest";
import type { StepKernels } from "../src/planning/dispatch/step-kernels.js";
import { JoinPlan } from "../src/planning/run/join-plan.js";
import { ScratchLayout } from "../src/planning/run/scratch-layout.js";
import { joinKernel } from "../src/shaders/join-kernel.js";
import { workgroupSize } from "../src/shaders/kernel-layout.js";

type Invocation = Iterator<undefined>;
type Start = (...all: readonly unknown[]) => () => Invocation;

const body = joinKernel
  .slice(joinKernel.indexOf("let lanes ="), joinKernel.lastIndexOf("}"))
  .replaceAll(/\b(\d+)u\b/g, "$1")
  .replaceAll(/(\w+) \/ (\w+)/g, "Math.floor($1 / $2)")
  .replaceAll("storageBarrier();", "yield;");

const parameters = ["table", "entry", "tile", "invocation", "count", "scratch", "select", "max"];
const start = compileFunction(`return function* () {${body}};`, parameters) as Start;
const select = (no: unknown, yes: unknown, isYes: boolean): unknown => (isYes ? yes : no);

function executed(plan: JoinPlan, scratch: Float64Array): void {
  const limits = { maxBindingSize: 2 ** 27, alignment: 256 };
  for (const { table, tiles } of plan.dispatches({ join: {} } as StepKernels, limits)) {
    for (let tile = 0; tile < tiles; tile += 1) {
      const entry = table[1 + tile];
      const count = table[entry + 1];
      let running = Array.from({ length: workgroupSize }, (_, invocation) =>
        start(table, entry, tile, invocation, count, scratch, select, Math.max)(),
      );
      while (running.length > 0) running = running.filter((one) => one.next().done !== true);
    }
  }
}

/** Results, and the number of values that each of them is made of. */
const joins: readonly (readonly [ReduceOp, number, number])[] = [
  ["sum", 1, 1],
  ["sum", 70, 2],
  ["maximum", 5, 7],
  ["sum", 3, 129],
  ["sum", 1, 4096],
  ["maximum", 1, 4097],
  ["sum", 1, 3 * 4096],
  ["sum", 1, 2 * 4096 + 5],
];

test("all values are joined, in blocks if there are many", () => {
  const layout = new ScratchLayout();
  const targets = joins.map(([, results]) => layout.reserve(results));
  const plan = new JoinPlan(layout);
  const sources = joins.map(([op, results, length], i) =>
    plan.add(op, results, length, targets[i]),
  );
  const scratch = Float64Array.from(
    { length: layout.length },
    (_, i) => ((i * 7919) % 1000) - 1200,
  );
  const before = scratch.slice();
  executed(plan, scratch);
  joins.forEach(([op, results, length], j) => {
    const expected = Array.from({ length: results }, (_, k) => {
      const values = Array.from({ length }, (__, i) => before[sources[j] + i * results + k]);
      return op === "sum" ? values.reduce((a, b) => a + b) : Math.max(...values);
    });
    expect([...scratch.subarray(targets[j], targets[j] + results)]).toEqual(expected);
  });
});
