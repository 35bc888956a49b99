import type { Rule } from "@gradstep/core";

/** The name under which a rule's table is exported: `schedule-free` → `scheduleFreeKernels`. */
export function tableName({ name }: Pick<Rule, "name">): string {
  return `${name.replace(/\W(\w)/g, (_, letter: string) => letter.toUpperCase())}Kernels`;
}
