import { reference } from "@gradstep/core/reference";
import { rules } from "@gradstep/core/rules";
import { cpuJs } from "@gradstep/cpu-js";
import { wasm } from "@gradstep/wasm";
import { expect, test } from "vitest";
import { suiteOf } from "../src/suite/options.js";
import { layoutChecks } from "../src/suite/checks/layouts.js";
import { runCheck } from "../src/suite/verify.js";

import { worstCase } from "../src/simulated-gpu/worst-case-backend.js";
import { wgsl } from "../src/bounds/error-model.js";
const only = process.env.ONLY;
const backends = {
  reference,
  cpuJs,
  exact: () => cpuJs({ exact: true }),
  wasm: () => wasm(),
  worst: () => worstCase(3),
};
for (const [name, backend] of Object.entries(backends))
  if (only === undefined || name === only)
    for (const check of layoutChecks(rules))
      test(`${name}: ${check.name}`, async () => {
        const { context } = suiteOf({
          backend: backend as never,
          ...(name === "worst" ? { model: wgsl } : {}),
          cases: Number(process.env.CASES ?? 200),
          seed: Number(process.env.SEED ?? 1),
        });
        const start = performance.now();
        const result = await runCheck(check, context);
        console.info(
          "RESULT",
          name,
          check.name,
          JSON.stringify(context.stats),
          `${Math.round(performance.now() - start)} ms`,
          result.status,
          result.reason ?? "",
        );
        expect(result.status).toBe("passed");
      }, 600_000);
