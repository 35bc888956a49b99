import type { Rule } from "@gradstep/core";
import { checkRule } from "@gradstep/core/internal";
import { importFile } from "./load-backend.js";
import { UsageError } from "./usage.js";

/**
 * The rules that these modules export, those of chains included; other exports are ignored, such as stages alone.
 * @throws {UsageError} for a missing file, and for one that exports no rule
 */
export async function loadRules(files: readonly string[]): Promise<readonly Rule[]> {
  const modules = await Promise.all(
    files.map(async (file) => {
      // A module may export a rule by its name and as the default.
      const exported: readonly unknown[] = Object.values(await importFile("rule", file));
      const rules = new Set(exported.map(ruleOf).filter(isRule));
      if (rules.size > 0) return [...rules];
      throw new UsageError(
        `Module "${file}" exports no rule; expected what defineRule() or chain() returns, by any name.`,
      );
    }),
  );
  return modules.flat();
}

/** The rule of a spec, such as a chain; another value as it is. */
function ruleOf(value: unknown): unknown {
  return typeof value === "object" && value !== null && "rule" in value ? value.rule : value;
}

function isRule(value: unknown): value is Rule {
  // A stage has variants as a rule has, but is no optimizer without one.
  if (typeof value === "function" && "stage" in value) return false;
  try {
    checkRule("rule", value);
    return true;
  } catch {
    return false;
  }
}
