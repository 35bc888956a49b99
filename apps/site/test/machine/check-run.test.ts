import type { CheckResult, MutantResult } from "@gradstep/conformance";
import type { CheckedBackend } from "@gradstep/conformance/doctor";
import { expect, test } from "vitest";
import { runChecks, suiteExtents, type CheckRun } from "../../src/machine/check-run.js";
import { machineDocument } from "../../src/machine/machine-document.js";
import type { MachineWorker } from "../../src/machine/machine.worker.js";

const stats = { elements: 1, unbounded: 0, worstErrorOverBound: 0.5, differingBits: 0, cases: 1 };
const result: CheckResult = { group: "bounds", name: "adam", status: "passed", stats };
const mutant: MutantResult = {
  name: "a bug",
  kind: "backend",
  killedBy: { check: "bounds: adam", reason: "wrong" },
};
const diagnosis: CheckedBackend = {
  name: "wasm",
  status: "right",
  isEmulated: false,
  errorModel: "roundToNearest",
  ...stats,
  checks: [result],
  unfinished: 0,
};

/** A worker that has wasm alone, and whose last event arrives after its answer. */
const late: (() => void)[] = [];
const remote: MachineWorker = {
  check: async (name, _, onEvent) => {
    if (name !== "wasm") throw new Error("no such GPU");
    onEvent({ type: "progress", completed: 0, total: 1 });
    late.push(() => onEvent({ type: "result", result }));
    return diagnosis;
  },
  mutants: async (_, onEvent) => {
    onEvent({ type: "result", result: mutant });
    return { total: 1, killed: 1, falseAlarms: [], mutants: [mutant] };
  },
};

async function run(signal = new AbortController().signal): Promise<readonly CheckRun[]> {
  const runs: CheckRun[] = [];
  const worker = { remote, callback: <F extends object>(f: F): F => f };
  await runChecks(["wasm", "webgpu"], suiteExtents.quick, worker, signal, (one) => runs.push(one));
  for (const event of late.splice(0)) event();
  return runs;
}

test("a run ends with all results, once, and says what could not be checked", async () => {
  const last = (await run()).at(-1)!;
  expect(last.backends).toEqual([
    { name: "wasm", results: [result], diagnosis },
    { name: "webgpu", results: [], failure: "no such GPU" },
  ]);
  expect(last).toMatchObject({ state: "done", mutants: [mutant] });
  expect(last.current).toBeUndefined();
});

test("nothing changes after the signal", async () => {
  expect(await run(AbortSignal.abort())).toEqual([]);
});

test("the document has what was checked, what failed to start, and what is missing", async () => {
  const machine = { userAgent: "x", processors: 2, crossOriginIsolated: false, gpu: null };
  const missing = [{ name: "wasm-threads", reason: "no shared memory" } as const];
  const document = machineDocument(
    machine,
    "quick",
    missing,
    (await run()).at(-1),
    [],
    new Date(0),
  );
  expect(document.date).toBe("1970-01-01T00:00:00.000Z");
  expect(document.backends.map(({ name, status }) => [name, status])).toEqual([
    ["wasm", "right"],
    ["webgpu", "missing"],
    ["wasm-threads", "missing"],
  ]);
  expect(document).toMatchObject({ interrupted: false, mutants: { killed: 1 } });
  expect(machineDocument(machine, "quick", [], undefined, [], new Date(0))).toMatchObject({
    interrupted: true,
    backends: [],
  });
});
