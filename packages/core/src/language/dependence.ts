import type { Node, Program } from "./program.js";

/** How a value depends on an input: not at all, as base + slope · input, or in another way. */
export type Dependence = "none" | "affine" | "other";

/** How each output of a program depends on an input, as its text says. */
export function dependencesOn(program: Program, input: string): ReadonlyMap<string, Dependence> {
  const known: Dependence[] = [];
  for (const node of program.nodes) known.push(dependenceOf(node, input, known));
  return new Map(program.outputs.map(({ name, node }) => [name, known[node]]));
}

function dependenceOf(
  { op, name, operands }: Node,
  input: string,
  known: readonly Dependence[],
): Dependence {
  if (op === "input") return name === input ? "affine" : "none";
  const all = operands.map((node) => known[node]);
  if (all.every((one) => one === "none")) return "none";
  if (all.includes("other")) return "other";
  const [a, b] = all;
  if (op === "neg" || op === "add" || op === "sub") return "affine";
  if (op === "mul") return a === "affine" && b === "affine" ? "other" : "affine";
  if (op === "div") return b === "affine" ? "other" : "affine";
  // Which branch is taken must not depend on it.
  if (op === "select") return a === "affine" ? "other" : "affine";
  return "other";
}
