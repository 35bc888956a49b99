import { rules } from "@gradstep/core/rules";
import { test } from "vitest";
import { activationMutants } from "../src/mutants/backends/activation-mutants.js";
import { layoutMutants } from "../src/mutants/backends/layout-mutants.js";
import { withLayouts } from "../src/mutants/backends/faulty-layouts.js";
import { layoutOptionMutants } from "../src/mutants/optimizers/layout-option-mutants.js";
import { target } from "../src/mutants/mutable-target.js";
import { layoutChecks } from "../src/suite/checks/layouts.js";
import { runCheck } from "../src/suite/verify.js";
import { emptyStats } from "../src/checker/check-stats.js";
import { roundToNearest, wgsl } from "../src/bounds/error-model.js";

const model = process.env.MODEL === "wgsl" ? wgsl : roundToNearest;
const context = (one: ReturnType<typeof target>, cases: number) => ({
  target: { ...one, model },
  cases,
  sequences: 16,
  allChoices: true,
  maxKernels: Infinity,
  seed: 1,
  stats: { ...emptyStats(), cases: 0 },
});
test("mutants", async () => {
  const sound = target({ backend: () => withLayouts({}) });
  for (const check of layoutChecks(rules))
    console.info("SOUND", JSON.stringify(await runCheck(check, context(sound, 64))));
  let killed = 0;
  const all = [...layoutMutants, ...activationMutants, ...layoutOptionMutants];
  for (const mutant of all) {
    if (mutant.isAllowed?.(model)) {
      console.info("ALLOWED", mutant.name);
      continue;
    }
    let reason: string | undefined;
    for (const check of layoutChecks(rules)) {
      const result = await runCheck(check, context(mutant.target(), 64));
      if (result.status === "failed") {
        reason = result.reason!;
        break;
      }
    }
    if (reason === undefined) console.info("SURVIVED", mutant.name);
    else {
      killed += 1;
      console.info(
        "KILLED",
        mutant.name,
        "::",
        reason.split("\n").slice(0, 2).join(" | ").slice(0, 200),
      );
    }
  }
  console.info("TOTAL", killed, all.length);
}, 600_000);
