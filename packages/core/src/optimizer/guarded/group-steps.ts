import type { Group } from "../groups/group.js";

/** How many of the steps from `first` to `last` a group takes part in, unless it is frozen. */
export function groupStepsBetween(
  { every, frozen }: Pick<Group, "every" | "frozen">,
  first: number,
  last: number,
): number {
  return frozen ? 0 : Math.floor(last / every) - Math.floor((first - 1) / every);
}
