import type { Rule } from "@gradstep/core";
import { isRuleLike, ruleOf } from "../suite/options.js";
import { importFile } from "./load-backend.js";
import { UsageError } from "./usage.js";

/**
 * The rules that these modules export; other exports are ignored.
 * @throws {UsageError} for a missing file, and for one that exports no rule
 */
export async function loadRules(files: readonly string[]): Promise<readonly Rule[]> {
  const modules = await Promise.all(
    files.map(async (file) => {
      const exported = Object.values(await importFile("rule", file)).filter(isRuleLike);
      // A module may export a rule by name and as its default.
      const rules = new Set(exported.map(ruleOf));
      if (rules.size > 0) return [...rules];
      throw new UsageError(
        `Module "${file}" exports no rule; expected what defineRule() returns, by any name.`,
      );
    }),
  );
  return modules.flat();
}
