import { digest } from "./digest.js";
import type { Draft } from "./program.js";

/** The name of a node that rules do not share, although it depends on nothing. */
export const unshared = "unshared";

/**
 * What a node computes, as text, for values that rules can share; undefined if it depends on more than parameters and
 * gradients.
 */
export function reductionKey(nodes: readonly Draft[], node: number): string | undefined {
  const keys: (string | undefined)[] = [];
  // Operands come before their users; each is looked at once, however often it is used.
  for (let i = 0; i <= node; i += 1) keys.push(keyOfNode(nodes[i], keys));
  return keys[node];
}

/** The longest key that is written out: texts of values that are used several times would grow exponentially. */
const maxKeyLength = 256;

function keyOfNode(
  { op, operands, name, value }: Draft,
  keys: readonly (string | undefined)[],
): string | undefined {
  if (op === "input") return name === "p" || name === "g" ? name : undefined;
  if (op === "number") return String(value);
  if (name === unshared) return undefined;
  const inner = operands.map((operand) => keys[operand]);
  if (inner.includes(undefined)) return undefined;
  const text = `${op}${name}(${inner.join(",")})`;
  return text.length > maxKeyLength ? `#${digest(text)}` : text;
}
