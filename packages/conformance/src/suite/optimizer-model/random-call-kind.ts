import type { Random } from "../random/random.js";

/** The kinds of calls that a model run makes, in proportion to how often. */
const always = [
  "step",
  "step",
  "step",
  "repeat",
  "repeat",
  "set",
  "set",
  "write",
  "save",
  "replace",
] as const;
const conditional = ["restore", "restore", "add", "remove", "remap"] as const;

type Conditional = (typeof conditional)[number];

/** @param possible whether a call of each kind can be made now */
export function randomCallKind(
  random: Random,
  possible: Readonly<Record<Conditional, boolean>>,
): (typeof always)[number] | Conditional {
  return random.pick([...always, ...conditional.filter((kind) => possible[kind])]);
}
