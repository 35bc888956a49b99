import { smallestNorm, type ActivationKind } from "@gradstep/core";

/** Activations as numbers in the table. 0: nothing is copied. */
export const activationCode: Readonly<Record<ActivationKind, number>> = {
  identity: 1,
  exp: 2,
  sigmoid: 3,
  softplus: 4,
  affine: 5,
  normalize: 6,
};

const { exp, sigmoid, softplus, affine, normalize } = activationCode;

const sigmoidFunction: readonly string[] = [
  "fn sigmoid(x: f32) -> f32 {",
  "  let small = exp(-abs(x));",
  "  return select(small, 1.0, x >= 0.0) / (1.0 + small);",
  "}",
  "",
];

/** Activated values. `scale` and `offset` are those of `affine`; for `normalize`, `scale` is the norm of the row. */
const activateFunction: readonly string[] = [
  ...sigmoidFunction,
  "// log(1 + x) for x from 0 to 1: the first terms of its series where 1 + x would round off most of x.",
  "fn log_of_one_plus(x: f32) -> f32 {",
  "  return select(log(1.0 + x), x * (1.0 - x * (0.5 - x * (0.33333334 - x * 0.25))), x < 0.015625);",
  "}",
  "",
  "fn activate(x: f32, kind: u32, scale: f32, offset: f32) -> f32 {",
  "  switch (kind) {",
  `    case ${exp}u: { return exp(x); }`,
  `    case ${sigmoid}u: { return sigmoid(x); }`,
  `    case ${softplus}u: { return max(x, 0.0) + log_of_one_plus(exp(-abs(x))); }`,
  `    case ${affine}u: { return x * scale + offset; }`,
  `    case ${normalize}u: { return x / scale; }`,
  "    default: { return x; }",
  "  }",
  "}",
  "",
];

/**
 * The chain rule: the gradient with respect to the parameter `x`, from that with respect to its activated value. For
 * `normalize`, `scale` is the norm of the row, and `along` the dot product of the row's gradient and its normalized values.
 */
const chainRuleFunction: readonly string[] = [
  "fn chain_rule(g: f32, x: f32, kind: u32, scale: f32, along: f32) -> f32 {",
  "  switch (kind) {",
  `    case ${exp}u: { return g * exp(x); }`,
  `    case ${sigmoid}u: { return g * (sigmoid(x) * sigmoid(-x)); }`,
  `    case ${softplus}u: { return g * sigmoid(x); }`,
  `    case ${affine}u: { return g * scale; }`,
  `    case ${normalize}u: { return (g - x / scale * along) / scale; }`,
  "    default: { return g; }",
  "  }",
  "}",
  "",
];

/** The functions of a kernel that applies activations, their derivatives, or both. */
export function activationFunctions(copies: boolean, derivatives: boolean): readonly string[] {
  if (copies) return [...activateFunction, ...(derivatives ? chainRuleFunction : [])];
  return derivatives ? [...sigmoidFunction, ...chainRuleFunction] : [];
}

/** The norm of a row, by which it is divided. */
export function boundedNorm(squares: string): string {
  return `max(sqrt(${squares}), ${smallestNorm})`;
}
