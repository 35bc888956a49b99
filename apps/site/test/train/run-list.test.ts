import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { defaultSettings, type TrainingBackend } from "../../src/train/run-settings.js";
import { RunList } from "../../src/train/run-list.js";

beforeEach(() => {
  // Never answers: its run loads forever.
  vi.stubGlobal(
    "Worker",
    class {
      addEventListener(): void {}
      postMessage(): void {}
      terminate(): void {}
    },
  );
});
afterEach(() => vi.unstubAllGlobals());

const statuses = (processors: number, backends: readonly TrainingBackend[]): readonly string[] => {
  const list = new RunList(undefined, processors);
  for (const backend of backends) list.add(backend, { ...defaultSettings, backend });
  const result = list.runs.value.map(({ status }) => status.value);
  list.close();
  return result;
};

test("runs leave one processor to the page, and are at most four", () => {
  const six = Array.from({ length: 6 }, () => "wasm" as const);
  const busy = [1, 2, 3, 5, 16].map(
    (processors) => statuses(processors, six).filter((status) => status === "loading").length,
  );
  expect(busy).toEqual([1, 1, 2, 4, 4]);
});

test("a run with threads counts as many", () => {
  expect(statuses(2, ["wasm-threads", "wasm"])).toEqual(["loading", "waiting"]);
  expect(statuses(4, ["wasm-threads", "wasm"])).toEqual(["loading", "waiting"]);
  expect(statuses(4, ["wasm", "wasm-threads", "wasm"])).toEqual(["loading", "waiting", "waiting"]);
  expect(statuses(16, ["wasm", "wasm-threads", "cpu-js", "wasm-threads"])).toEqual([
    "loading",
    "loading",
    "loading",
    "waiting",
  ]);
});
