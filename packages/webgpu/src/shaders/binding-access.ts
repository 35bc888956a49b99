import type { RowBinding } from "./row-bindings.js";

/** An expression for the f32 at an index of a binding. */
export function loadFloat({ name, type }: RowBinding, index: string): string {
  if (type === "f32") return `${name}[${index}]`;
  return `bitcast<f32>(${loadWord({ name, type }, index)})`;
}

/** An expression for the bits of the value at an index. */
export function loadWord({ name, type }: Pick<RowBinding, "name" | "type">, index: string): string {
  return type === "atomic<u32>" ? `atomicLoad(&${name}[${index}])` : `${name}[${index}]`;
}

/** A statement that stores an f32. */
export function storeFloat(
  { name, type }: Pick<RowBinding, "name" | "type">,
  index: string,
  value: string,
): string {
  if (type === "f32") return `${name}[${index}] = ${value};`;
  return storeWord({ name, type }, index, `bitcast<u32>(${value})`);
}

/** A statement that stores the bits of a value. */
export function storeWord(
  { name, type }: Pick<RowBinding, "name" | "type">,
  index: string,
  word: string,
): string {
  return type === "atomic<u32>"
    ? `atomicStore(&${name}[${index}], ${word});`
    : `${name}[${index}] = ${word};`;
}
