import {
  emit,
  flushedSlotsOf,
  specialize,
  type Extent,
  type MapPass,
  type Program,
  type Variant,
} from "@gradstep/core";
import { arrayNamesOf, storedIn } from "../passes/array-names.js";
import {
  functionName,
  indent,
  isName,
  isRead,
  jsEmitter,
  loop,
  safe,
  usesOperands,
} from "./js-emitter.js";

/**
 * The source of a pass as a `PassFunction`. As for `emitJs`, the caller must flush `flushedSlotsOf(pass.program)` first;
 * `floor` is a free name, too.
 *
 * Values that are the same for all indices are computed before the loop. A pass over elements that reads values of rows
 * or columns has a loop over rows around that over columns, and computes values of rows between the two.
 */
export function emitPass(
  variant: Variant,
  pass: MapPass,
  options: { readonly exact: boolean },
): string {
  const { over, reductions } = pass;
  const thresholds = flushedSlotsOf(pass.program).map(({ threshold }) => threshold);
  const specialized = specialize(pass.program, new Map(thresholds.map((name) => [name, 0])));
  const extents = new Set(specialized.inputs.map(({ node }) => specialized.nodes[node].extent));
  const isNested = over === "element" && (extents.has("row") || extents.has("column"));
  const program = isNested ? withSharedRows(specialized) : specialized;

  const before: string[] = [];
  const row: string[] = [];
  const element: string[] = [];
  const linesOf = (varies: boolean, extent: Extent): string[] => {
    if (!varies) return before;
    return isNested && extent === "row" ? row : element;
  };
  let named = 0;
  const share = (text: string, varies: boolean, extent: Extent): string => {
    named += 1;
    const name = `$${named}`;
    linesOf(varies, extent).push(`const ${name} = ${text};`);
    return name;
  };

  const names = arrayNamesOf(variant);
  const used = new Set(program.outputs.map(({ name }) => storedIn(name)));
  for (const { name } of program.inputs) if (isRead(program, name)) used.add(name);
  names.forEach((name, i) => {
    if (used.has(name) && reductions.every((one) => one.name !== name))
      before.push(`const ${safe(name)}$ = $arrays[${i}];`);
  });
  reductions.forEach(({ name }, i) => before.push(`const ${safe(name)}$ = $operands[${i}];`));
  for (const { name, node } of program.inputs) {
    if (!isRead(program, name)) continue;
    const { extent, varies } = program.nodes[node];
    const value =
      extent === "step"
        ? `fround($scalars[${variant.scalars.indexOf(name)}])`
        : `${safe(name)}$[${indexOf(extent, isNested)}]`;
    linesOf(varies, extent).push(`const ${safe(name)} = ${value};`);
  }
  const stores = emit(program, jsEmitter(options, share)).map(({ name, value }) => {
    // Bound to a name, so that every read comes before the first store.
    const text = isName(value) ? value.text : share(value.text, true, "element");
    const isOperand = reductions.some((one) => one.name === name);
    const index = over === "tensor" || over === "all" ? "0" : isOperand ? "$j" : "$i";
    return `${safe(storedIn(name))}$[${index}] = ${text};`;
  });
  element.push(...stores);

  const isOne = over === "tensor" || over === "all";
  const body = isOne ? element : isNested ? nestedLoop(row, element, extents) : loop(element, 2);
  const lines = [...before, ...body];
  const name = `${functionName(variant)}_pass${variant.passPlan.passes.indexOf(pass)}`;
  return [`function ${name}(${parametersOf(lines)}) {`, ...indent(lines), "}"].join("\n");
}

/** Where a value of an extent is, for the element at `$i`. */
function indexOf(extent: Extent, isNested: boolean): string {
  if (extent === "tensor" || extent === "all") return "0";
  if (!isNested || extent === "element") return "$i";
  return extent === "row" ? "$row" : "$i - $first";
}

/** Marks operations on rows as used more than once, so that each has a name and is computed once per row. */
function withSharedRows(program: Program): Program {
  const nodes = program.nodes.map((node) =>
    node.extent === "row" && node.uses > 0 ? { ...node, uses: node.uses + 1 } : node,
  );
  return { ...program, nodes };
}

/** The range may begin and end within a row. `$first` is what lies between an index and that of its column. */
function nestedLoop(
  row: readonly string[],
  element: readonly string[],
  extents: ReadonlySet<Extent>,
): string[] {
  const counts = usesOperands(element);
  return [
    "let $i = $start;",
    ...(counts ? ["let $j = 0;"] : []),
    "for (let $row = floor($start / $columns); $i < $end; $row += 1) {",
    ...indent([
      "const $stop = min($end, ($row + 1) * $columns);",
      ...(extents.has("column") ? ["const $first = ($row - floor($row / $rows)) * $columns;"] : []),
      ...row,
      counts ? "for (; $i < $stop; $i += 1, $j += 1) {" : "for (; $i < $stop; $i += 1) {",
      ...indent(element),
      "}",
    ]),
    "}",
  ];
}

/** The parameters up to the last that is used; those before it that are not used start with `_`. */
function parametersOf(lines: readonly string[]): string {
  const text = lines.join("\n");
  const parameters = ["$arrays", "$scalars", "$operands", "$start", "$end", "$rows", "$columns"];
  const isUsed = (name: string): boolean => new RegExp(`\\${name}(?![\\w$])`).test(text);
  const last = Math.max(...parameters.map((name, i) => (isUsed(name) ? i : -1)));
  return parameters
    .slice(0, last + 1)
    .map((name) => (isUsed(name) ? name : `_${name}`))
    .join(", ");
}
