import { adagrad } from "./adagrad.js";
import { adam } from "./adam.js";
import { adamax } from "./adamax.js";
import { adamw } from "./adamw.js";
import { lion } from "./lion.js";
import { nadam } from "./nadam.js";
import { rmsprop } from "./rmsprop.js";
import { sgd } from "./sgd.js";
import type { Rule } from "../rule/rule.js";

/** All built-in rules: backends generate code for them, and the conformance suite runs them. */
export const rules: readonly Rule[] = [sgd, adagrad, rmsprop, adam, adamw, adamax, nadam, lion].map(
  ({ rule }) => rule,
);
