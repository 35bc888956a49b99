// Which steps the device takes: the text of the kernel that decides is executed here, with the tables of real commands.
import type { GuardCounts, GuardOptions, Update } from "@gradstep/core";
import { compileFunction } from "node:vm";
import { expect, test } from "vitest";
import type { TabledDispatch } from "../src/planning/dispatch/dispatch.js";
import { ScalarRing } from "../src/planning/scalars/scalar-ring.js";
import { GuardMemory } from "../src/guard/guard-memory.js";
import { GuardedCommands } from "../src/guard/guarded-commands.js";
import { controlWords, decodeCounts, encodeCounts } from "../src/shaders/control-block.js";
import { anyKind, decideKernel } from "../src/shaders/decide-kernel.js";
import { recordingDevice } from "./recording-device.js";

const body = decideKernel
  .slice(decideKernel.indexOf("  let pairs ="), decideKernel.lastIndexOf("}"))
  .replaceAll(/\b(\d+)u\b/g, "$1");
const parameters =
  "table control non_finite kept_scalars scalars grids scales call invocation select";
const decide = compileFunction(body, parameters.split(" ")) as (...all: readonly unknown[]) => void;
const select = (no: number, yes: number, isYes: boolean): number => (isYes ? yes : no);

const counts: GuardCounts = {
  steps: 1,
  skippedSteps: 0,
  consecutiveSkips: 0,
  goodSteps: 0,
  missedSteps: 0,
  stops: 3,
  stopCause: decodeCounts(new ArrayBuffer(4 * 11)).stopCause,
  lossScale: 8,
  persistent: Float64Array.of(0.25, 0.5),
};

interface Case {
  readonly isFinite?: boolean;
  readonly epoch?: number;
  readonly kind?: number;
  readonly first?: number;
  readonly stops?: number;
  readonly stopsAtNonFinite?: boolean;
  readonly isDecided?: boolean;
}

/** The workgroups of a dispatch of taken steps and of one of skipped steps, and the persistent scalars after step 2. */
function decided({
  isFinite = true,
  epoch = 1,
  kind = anyKind,
  first = 0,
  stops = 3,
  stopsAtNonFinite = false,
  isDecided = true,
}: Case): {
  readonly taken: number;
  readonly skipped: number;
  readonly persistent: unknown;
  readonly scalar: number;
} {
  const { device } = recordingDevice();
  const written = new Map<string, Uint32Array>();
  device.queue.writeBuffer = ({ label, size }, offset, data, start = 0, length) => {
    const words = written.get(label) ?? new Uint32Array(size / 4);
    words.set(
      (data as Uint32Array).subarray(start, length === undefined ? undefined : start + length),
      offset / 4,
    );
    written.set(label, words);
  };
  const [scalars, divisor] = [Float64Array.of(7), new Float64Array(1)];
  const persistent = Float64Array.of(0.75, 0.875);
  const options = { scalars: [scalars], divisor, persistent, stopsAtNonFinite, keptSteps: 4 };
  const memory = new GuardMemory(device, options as unknown as GuardOptions);
  memory.kept.replace(2);
  memory.kept.store(2, 5);
  memory.kept.flush();
  const dispatches = [false, true].map((isForSkipped) => ({
    kernel: { bindGroupLayout: {}, usesScratch: false, scalarSetLength: 16, compile: () => ({}) },
    bindings: [],
    tiles: 9,
    scalarSets: [scalars],
    tableRange: { buffer: {}, offset: 0, size: 4 },
    isForSkipped,
  })) as unknown as readonly TabledDispatch[];
  const guard = { memory, decideKernel: { compiled: {}, layout: {} } as never, isDecided };
  const updates = [{ scalars }] as unknown as readonly Update[];
  const step = { label: "test", updates, dispatches, scratch: undefined };
  const ring = new ScalarRing(device, "test", "STORAGE");
  void new GuardedCommands(device, step, guard, { ring, signals: undefined });
  const control = encodeCounts(counts, 1);
  control[controlWords.stops] = stops;
  const [target, grids] = [new Uint32Array(64), new Uint32Array(6)];
  const call = [1, memory.kept.offset, epoch, kind, first];
  for (let invocation = 0; invocation < 64; invocation += 1)
    decide(
      written.get("test, decision"),
      control,
      [isFinite ? 0 : 1],
      written.get("gradstep guard, scalars"),
      target,
      grids,
      [],
      call,
      invocation,
      select,
    );
  return {
    taken: grids[0],
    skipped: grids[3],
    persistent: [...decodeCounts(control.buffer).persistent],
    scalar: new Float32Array(target.buffer)[0],
  };
}

const before = [0.25, 0.5];
const after = [0.75, 0.875];

test("a step is taken with its scalars, and what persists is that of the step", () => {
  expect(decided({})).toEqual({ taken: 9, skipped: 0, persistent: after, scalar: 7 });
  expect(decided({ kind: 5, first: 2 })).toMatchObject({ taken: 9, persistent: after });
  // What comes before the check of a step decides nothing.
  expect(decided({ isDecided: false })).toMatchObject({ taken: 9, persistent: before });
});

test.each<readonly [string, Case]>([
  ["scalars of an earlier replacement", { epoch: 0 }],
  ["work that has nothing for the step yet", { first: 3 }],
  ["work for steps of another kind", { kind: 4 }],
  ["a device that has stopped", { stops: 4 }],
  ["a device that has stopped, and infinite gradients", { stops: 4, isFinite: false }],
  ["infinite gradients where steps stop", { isFinite: false, stopsAtNonFinite: true }],
  ["infinite gradients, for another kind", { isFinite: false, kind: 4 }],
])("%s: nothing is executed", (_, one) => {
  expect(decided(one)).toMatchObject({ taken: 0, skipped: 0, persistent: before });
});

test("infinite gradients: what is for skipped steps is executed", () => {
  expect(decided({ isFinite: false })).toMatchObject({ taken: 0, skipped: 9, persistent: before });
});
