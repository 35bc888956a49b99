import { GradstepError, show } from "../errors.js";

/** Which parameters: a name, a list of names, a pattern that names match, or a test of the name. */
export type Match = string | readonly string[] | RegExp | ((name: string) => boolean);

/** Some parameters and the hyperparameters that are theirs. */
export type GroupOptions<H extends string = string> = {
  readonly match: Match;
  /**
   * The group is stepped at every n-th step of the optimizer only, the n-th first, and counts its own steps. Gradients
   * at the others are not looked at. 1 if left out.
   */
  readonly every?: number;
} & (string extends H ? Readonly<Record<string, unknown>> : Partial<Readonly<Record<H, number>>>);

/**
 * The list of groups that was given, as far as its kind goes; each group checks its own content.
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
