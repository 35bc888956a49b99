import type { Statement } from "../../language/build-program.js";

/**
 * How an explanation calls the names of a program. A chain puts the stage's name before what a stage calculates for
 * itself; an explanation has it only where another value would have the same name.
 *
 * @param others names that no statement assigns
 */
export function shownNames(
  statements: readonly Statement[],
  others: Iterable<string>,
): (name: string) => string {
  const written = new Map<string, string>();
  const owners = new Map<string, Set<string>>();
  const add = (name: string, owner: string): void => {
    const known = owners.get(name) ?? new Set();
    owners.set(name, known.add(owner));
  };
  for (const name of others) add(name, name);
  for (const { name, assignment } of statements) {
    written.set(name, assignment.name);
    add(assignment.name, name);
  }
  return (name) => {
    const shown = written.get(name) ?? name;
    return (owners.get(shown)?.size ?? 0) > 1 ? name : shown;
  };
}
