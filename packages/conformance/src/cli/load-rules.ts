import { checkRule, type Rule } from "@gradstep/core";
import { importFile } from "./load-backend.js";
import { UsageError } from "./usage.js";

/**
 * The rules that these modules export; other exports are ignored.
 * @throws {UsageError} for a missing file, and for one that exports no rule
 */
export async function loadRules(files: readonly string[]): Promise<readonly Rule[]> {
  const modules = await Promise.all(
    files.map(async (file) => {
      // A module may export a rule by its name and as the default.
      const rules = new Set(Object.values(await importFile("rule", file)).filter(isRule));
      if (rules.size > 0) return [...rules];
      throw new UsageError(
        `Module "${file}" exports no rule; expected what defineRule() returns, by any name.`,
      );
    }),
  );
  return modules.flat();
}

function isRule(value: unknown): value is Rule {
  try {
    checkRule("rule", value);
    return true;
  } catch {
    return false;
  }
}
