import { GradstepError } from "../errors.js";
import type { Variant } from "../rule/variant.js";

/** For backends that run rules of elements only. @throws {GradstepError} `UNSUPPORTED` */
export function checkElementwise(backend: string, { label, schedule }: Variant): void {
  if (schedule.passes.length === 1 && schedule.temporaries.length === 0) return;
  throw new GradstepError(
    `${label} has reductions, which backend ${backend} cannot run; expected a rule of elements.`,
    { code: "UNSUPPORTED" },
  );
}
