import type { GroupOptions, Optimizer } from "@gradstep/core";

/**
 * Warns after the first step: a group that matches no variable is most likely misspelled. Its variables may still come.
 * @param groups as they were given
 */
export function warnOfEmptyGroups(optimizer: Optimizer, groups: readonly GroupOptions[]): void {
  optimizer.groups.forEach(({ parameters }, i) => {
    if (parameters.length > 0) return;
    console.warn(
      `gradstep: group ${i} (match: ${String(groups[i].match)}) matches none of the variables ${optimizer.parameters.join(", ")}. ` +
        `This is correct only if its variables come in a later step.`,
    );
  });
}
