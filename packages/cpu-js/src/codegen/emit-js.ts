import { emit, flushedSlotsOf, specialize, type Variant } from "@gradstep/core";
import { functionName, indent, isName, isRead, jsEmitter, loop, safe } from "./js-emitter.js";

/** Lines of an element. From here on, four elements per iteration instead of two cost size and gain no time. */
const longElement = 11;

/**
 * The source of a variant as a `KernelFunction`, which makes one pass over memory.
 *
 * It uses `fround`, `abs`, `sqrt`, `sign`, `min` and `max` of `Math` as free names; `generate` writes a module that
 * defines them. The caller must flush `flushedSlotsOf(variant.perElement)` first: a branch that is rarely taken would
 * make V8 deoptimize the function when it is first taken, and box numbers from then on.
 */
export function emitJs(variant: Variant, options: { readonly exact: boolean }): string {
  const { slots, scalars } = variant;
  // Slots were flushed before, so their thresholds count as 0.
  const thresholds = flushedSlotsOf(variant.perElement).map(({ threshold }) => threshold);
  const perElement = specialize(
    variant.perElement,
    new Map(thresholds.map((threshold) => [threshold, 0])),
  );
  const isStored = (slot: string): boolean => perElement.outputs.some(({ name }) => name === slot);
  const before: string[] = [
    ...slots.flatMap(({ name }, i) =>
      isRead(perElement, name) || isStored(name) ? [`const ${name}$ = $slots[${i}];`] : [],
    ),
    ...scalars.flatMap((name, i) =>
      isRead(perElement, name) ? [`const ${safe(name)} = fround($scalars[${i}]);`] : [],
    ),
  ];
  const element: string[] = [];
  let named = 0;
  const share = (text: string, varies: boolean): string => {
    named += 1;
    const name = `$${named}`;
    (varies ? element : before).push(`const ${name} = ${text};`);
    return name;
  };
  for (const { name, node } of perElement.inputs) {
    if (perElement.nodes[node].varies)
      element.push(`const ${safe(name)} = ${name}$[${name === "g" ? "$i + $shift" : "$i"}];`);
  }
  const results = emit(perElement, jsEmitter(options, share));
  const stores = results.map(({ name, value }) => {
    // Bound to a name, so that every read comes before the first store.
    const text = isName(value) ? value.text : share(value.text, true);
    return `${name}$[$i] = ${text};`;
  });
  element.push(...stores);
  const isUsed = (name: string): boolean => before.some((line) => line.includes(`${name}[`));
  const parameters = [
    "p$",
    isRead(perElement, "g") ? "g$" : "_g$",
    ...["$slots", "$scalars"].map((name) => (isUsed(name) ? name : `_${name}`)),
    "$start",
    "$end",
    isRead(perElement, "g") ? "$shift" : "_$shift",
  ];
  return [
    `function ${functionName(variant)}(${parameters.join(", ")}) {`,
    ...indent(before),
    ...indent(loop(element, element.length < longElement ? 4 : 2)),
    "}",
  ].join("\n");
}
