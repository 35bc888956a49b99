import type { Check } from "../subject.js";
import { boundChecks } from "./bounds.js";
import { errorChecks } from "./errors.js";
import { groupChecks } from "./groups.js";
import { lengthChecks } from "./lengths.js";
import { nonFiniteChecks } from "./non-finite.js";
import { orderChecks } from "./order.js";
import { otherRuleChecks } from "./other-rules.js";
import { repeatChecks } from "./repeats.js";
import { rowChecks } from "./rows.js";
import { stateChecks } from "./state.js";
import { tensorChecks } from "./tensors.js";

/** Everything that must hold of a backend, the quick first. */
export const checks: readonly Check[] = [
  ...tensorChecks,
  ...orderChecks,
  ...errorChecks,
  ...groupChecks,
  ...nonFiniteChecks,
  ...stateChecks,
  ...repeatChecks,
  ...rowChecks,
  ...lengthChecks,
  ...boundChecks,
  ...otherRuleChecks,
];
