import type { RowBinding } from "./row-bindings.js";

/** Expressions for a value, and for its bits, at an index of a binding. */
export function loadFloat({ name, type }: RowBinding, index: string): string {
  if (type === "f32") return `${name}[${index}]`;
  return `bitcast<f32>(${loadWord({ name, type }, index)})`;
}

export function loadWord({ name, type }: Pick<RowBinding, "name" | "type">, index: string): string {
  return type === "atomic<u32>" ? `atomicLoad(&${name}[${index}])` : `${name}[${index}]`;
}

/** Statements that store them. */
export function storeFloat(
  { name, type }: Pick<RowBinding, "name" | "type">,
  index: string,
  value: string,
): string {
  if (type === "f32") return `${name}[${index}] = ${value};`;
  return storeWord({ name, type }, index, `bitcast<u32>(${value})`);
}

export function storeWord(
  { name, type }: Pick<RowBinding, "name" | "type">,
  index: string,
  word: string,
): string {
  return type === "atomic<u32>"
    ? `atomicStore(&${name}[${index}], ${word});`
    : `${name}[${index}] = ${word};`;
}
