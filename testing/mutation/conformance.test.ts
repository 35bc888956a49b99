import { conformance } from "@gradstep/conformance";
import { cpuJs } from "@gradstep/cpu-js";
import { wasm } from "@gradstep/wasm";
import { describe, test } from "vitest";
import { cases } from "../cases.js";

const isWasm = process.env["MUTATED_PACKAGE"] === "wasm";

// Fewer random cases than a backend's own test: a mutant that no other test notices runs all of them.
conformance({
  backend: () => (isWasm ? wasm() : cpuJs({ exact: true })),
  wrapsArrays: !isWasm,
  cases: cases(500, 10),
  describe,
  test,
});
