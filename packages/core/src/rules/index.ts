import { adagrad } from "./adagrad.js";
import { adam } from "./adam.js";
import { adamax } from "./adamax.js";
import { adamw } from "./adamw.js";
import { lion } from "./lion.js";
import { nadam } from "./nadam.js";
import { rmsprop } from "./rmsprop.js";
import { sgd } from "./sgd.js";
import type { Rule } from "../rule/spec.js";

/** Every built-in rule: what backends generate code from and what the suite runs. A new rule is a file and a line here. */
export const rules: readonly Rule[] = [sgd, adagrad, rmsprop, adam, adamw, adamax, nadam, lion].map(
  ({ rule }) => rule,
);
