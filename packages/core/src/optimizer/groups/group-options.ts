import { GradstepError, show } from "../../errors.js";

/** Selects parameters: a name, a list of names, a pattern for names, or a function that tests a name. */
export type Match = string | readonly string[] | RegExp | ((name: string) => boolean);

/** Hyperparameters for some of the parameters. */
export type GroupOptions<H extends string = string> = {
  readonly match: Match;
  /**
   * The group is updated every `every` steps of the optimizer, for the first time at step number `every`, and counts its
   * own steps. Its gradients are ignored at the other steps. 1 if left out.
   */
  readonly every?: number;
} & (string extends H ? Readonly<Record<string, unknown>> : Partial<Readonly<Record<H, number>>>);

/**
 * Checks that groups are a list of objects; the content of a group is checked when the group is made.
 * @throws {GradstepError} `UNKNOWN_OPTION`
 */
export function checkGroups(groups: unknown): readonly GroupOptions[] {
  if (groups === undefined) return [];
  const isGroup = (group: unknown): boolean =>
    group !== null && typeof group === "object" && !Array.isArray(group);
  if (Array.isArray(groups) && [...groups].every(isGroup)) return groups;
  throw new GradstepError(
    `groups is ${show(groups)}; expected a list such as [{ match: /bias/, weightDecay: 0 }].`,
    { code: "UNKNOWN_OPTION" },
  );
}
