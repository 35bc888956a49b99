import type { Rule } from "@gradstep/core";
import { printSymbol, symbolOf } from "../mathematics/symbols.js";
import { code, inlineFormula, table } from "./markdown.js";

type Variant = ReturnType<Rule["variant"]>;
type Slot = Variant["slots"][number];

const bytesPerValue = 4;

const places: Readonly<Record<Slot["extent"], string>> = {
  element: "element",
  row: "row",
  column: "column",
  tensor: "tensor",
  all: "optimizer",
};

function stateOf(variant: Variant): readonly Slot[] {
  return variant.slots.filter(({ isMetric }) => !isMetric);
}

/** The memory of a variant's state: `8 bytes per parameter`. */
export function stateSize(variant: Variant): string {
  const counts = new Map<Slot["extent"], number>();
  for (const { extent } of stateOf(variant)) counts.set(extent, (counts.get(extent) ?? 0) + 1);
  if (counts.size === 0) return "none";
  return [...counts]
    .map(([extent, count]) => {
      const place = extent === "element" ? "parameter" : places[extent];
      return `${count * bytesPerValue} bytes per ${place}`;
    })
    .join(", ");
}

/** The bytes of a variant's state per parameter, for a table: `8`, `4 per row, 4 per column`. */
export function stateBytes(variant: Variant): string {
  return stateSize(variant)
    .replaceAll(" bytes per parameter", "")
    .replaceAll(" bytes", "")
    .replace("none", "0");
}

/** The passes over memory of a step: `1`, `3 and 10 of matrix products`. */
export function passes({ passPlan }: Variant): string {
  const maps = passPlan.passes.filter((pass) => pass.kind === "map" && pass.over === "element");
  const matrices = passPlan.passes.filter(({ kind }) => kind === "newtonSchulz");
  const products = matrices.length === 0 ? "" : `, and up to ${matrices.length} of matrix products`;
  return `${maps.length}${products}`;
}

/** The slots of a rule or stage; those that an option adds are named with it. */
export function slotTable(rule: Rule): string {
  const own = stateOf(rule.variant());
  const added = [
    ...Object.entries(rule.options).flatMap(([name, values]) =>
      values.slice(1).map((value) => ({ [name]: value })),
    ),
    ...rule.structural.map((name) => ({ [name]: true })),
  ].flatMap((choice) => {
    const [[name, value]] = Object.entries(choice);
    const condition = rule.structural.includes(name)
      ? `if ${code(name)} is above 0`
      : `with ${code(`${name}: ${JSON.stringify(value)}`)}`;
    return stateOf(rule.variant(choice))
      .filter((slot) => own.every((one) => one.name !== slot.name))
      .map((slot) => ({ slot, condition }));
  });
  const all = [...own.map((slot) => ({ slot, condition: "always" })), ...added];
  if (all.length === 0) return "";
  return table(
    ["slot", "symbol", "one value per", "first value", "there"],
    all.map(({ slot: { name, extent, initial }, condition }) => [
      code(name),
      inlineFormula(printSymbol(symbolOf(name))),
      places[extent],
      initial === "p"
        ? "the parameter"
        : typeof initial === "string"
          ? code(initial)
          : String(initial),
      condition,
    ]),
  );
}
