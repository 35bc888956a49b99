import type { Random } from "../random/random.js";

/** Values in a row of `a`. */
export const columns = 3;
/** Values of `b`, which has no rows. */
export const sizeOfB = 5;

/** Something that happens between steps, or a step, with its numbers. */
export type Event =
  | { readonly kind: "step"; readonly names: readonly ("a" | "b")[] }
  | { readonly kind: "gradients"; readonly a: Float32Array; readonly b: Float32Array }
  | { readonly kind: "write"; readonly b: Float32Array }
  | { readonly kind: "rate"; readonly value: number }
  | { readonly kind: "mask"; readonly mask: Uint32Array }
  | { readonly kind: "rows"; readonly indices: Uint32Array }
  | { readonly kind: "other" | "swap" | "refused" | "replace" | "allocate" | "restore" };

const kinds = [
  "step",
  "gradients",
  "write",
  "rate",
  "mask",
  "rows",
  "other",
  "swap",
  "refused",
  "replace",
  "allocate",
  "restore",
] as const satisfies readonly Event["kind"][];
const kindsWithoutRows = kinds.filter((kind) => kind !== "mask" && kind !== "rows");

/**
 * Steps, most of them with the gradients of the last one, and other events in between.
 *
 * @param hasRows whether there are masks and moves of rows among them; without, `a` has one row
 */
export function eventsOf(random: Random, hasRows: boolean): readonly Event[] {
  const numbers = (length: number): Float32Array =>
    Float32Array.from({ length }, () => random.between(-1, 1));
  let rows = hasRows ? random.integer(1, 4) : 1;
  const gradients = (): Event => ({
    kind: "gradients",
    a: numbers(rows * columns),
    b: numbers(sizeOfB),
  });
  const events: Event[] = hasRows
    ? [{ kind: "rows", indices: new Uint32Array(rows) }, gradients()]
    : [gradients()];
  const step = (): Event => ({
    kind: "step",
    names: random.pick([["a", "b"], ["a", "b"], ["a", "b"], ["a"], ["b"], ["b", "a"]] as const),
  });
  const between = (): Event => {
    const kind = random.pick<Event["kind"]>(hasRows ? kinds : kindsWithoutRows);
    switch (kind) {
      case "gradients":
        return gradients();
      case "write":
        return { kind, b: numbers(sizeOfB) };
      case "rate":
        return { kind, value: random.between(0, 0.1) };
      case "mask":
        return { kind, mask: Uint32Array.from({ length: rows }, () => random.integer(0, 1)) };
      case "rows": {
        const before = rows;
        rows = random.integer(1, 9);
        const indices = Uint32Array.from({ length: rows }, () => random.integer(0, before - 1));
        return { kind, indices };
      }
      case "step":
        return step();
      case "other":
      case "swap":
      case "refused":
      case "replace":
      case "allocate":
      case "restore":
        return { kind };
    }
  };
  for (let i = 0; i < 12; i += 1) {
    events.push(step(), step(), between());
    if (events.at(-1)?.kind === "rows") events.push(gradients());
  }
  return events;
}
