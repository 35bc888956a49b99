import { adam, chain, type Backend, type Stage } from "@gradstep/core";
import { cpuJs } from "@gradstep/cpu-js";
import { wasm } from "@gradstep/wasm";
import { verify } from "@gradstep/conformance";
import { stageSpec } from "./stage-step.js";

/** Random runs of a stage, compared with the bounds that are derived from its text. */
export interface StageBounds {
  /** The chain that was run: `clip-by-norm+adam`. */
  readonly rule: string;
  readonly runs: number;
  /** The largest error on each backend, as a part of its bound. */
  readonly errorOverBound: Readonly<Record<string, number>>;
}

const backends: Readonly<Record<string, () => Backend | Promise<Backend>>> = {
  "cpu-js": () => cpuJs(),
  wasm: () => wasm(),
};

/** Runs a stage with Adam on random values. @throws if a value is outside its bound */
export async function stageBounds(stage: Stage): Promise<StageBounds> {
  const part = stageSpec(stage);
  const spec = stage.updated === "g" ? chain(part, adam()) : chain(adam(), part);
  const errorOverBound: Record<string, number> = {};
  let runs = 0;
  for (const [name, backend] of Object.entries(backends)) {
    const report = await verify({
      backend,
      rules: [spec.rule],
      groups: ["bounds"],
      cases: 16,
      wrapsArrays: name !== "wasm",
    });
    const failed = report.checks.find(({ status }) => status !== "passed");
    if (failed !== undefined) throw new Error(`${failed.name} on ${name}: ${failed.reason ?? ""}`);
    errorOverBound[name] = report.worstErrorOverBound;
    runs = report.cases;
  }
  return { rule: spec.rule.name, runs, errorOverBound };
}
