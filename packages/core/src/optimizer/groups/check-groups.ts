import { GradstepError, show } from "../../errors.js";
import { hasNames } from "../../argument-checks/has-names.js";
import type { GroupOptions } from "../../rule/rule.js";
import { isArray } from "../../argument-checks/is-array.js";

/**
 * Checks that groups are a list of objects; the content of a group is checked when the group is made.
 * @throws {GradstepError} `UNKNOWN_OPTION`
 */
export function checkGroups(groups: unknown): readonly GroupOptions[] {
  if (groups === undefined) return [];
  if (isArray(groups) && [...groups].every(hasNames)) return groups as readonly GroupOptions[];
  throw new GradstepError(
    `groups is ${show(groups)}; expected a list such as [{ match: /bias/, weightDecay: 0 }].`,
    { code: "UNKNOWN_OPTION" },
  );
}
