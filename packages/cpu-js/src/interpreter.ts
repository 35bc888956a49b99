import {
  GradstepError,
  smallestNormal,
  type Binding,
  type Extent,
  type MapPass,
  type Node,
  type Values,
  type Variant,
} from "@gradstep/core";
import { arrayNamesOf, storedIn } from "./passes/array-names.js";
import type { KernelFunction, PassFunction } from "./kernel-table.js";
import type { TemporaryArray } from "./passes/temporary-array.js";

/** Values per chunk: all chunks of a pass fit into the L1 cache, and the loops outweigh the calls. */
export const chunkLength = 1024;

/** As `PassFunction`; `shift` is what is added to the index of an element to get that of its gradient. */
type InterpretedPass = (...args: [...Parameters<PassFunction>, shift?: number]) => void;

/** An array that a pass reads or stores. */
interface Access {
  readonly node: number;
  /** Its index among the arrays of the variant. */
  readonly array: number;
  readonly extent: Extent;
}

/** The kernel of a variant of elements that was not compiled ahead of time. */
export function interpreter(variant: Variant, Temporary: TemporaryArray): KernelFunction {
  const update = passInterpreter(variant, variant.passPlan.passes[0] as MapPass, Temporary);
  const arrays: Float32Array[] = [];
  return (p, g, slots, scalars, start, end, shift) => {
    arrays[0] = p;
    arrays[1] = g;
    for (let i = 0; i < slots.length; i += 1) arrays[i + 2] = slots[i];
    update(arrays, scalars, arrays, start, end, 1, 1, shift);
  };
}

/**
 * A pass that was not compiled ahead of time. It needs no `eval`, which a Content-Security-Policy may forbid: each
 * operation is a loop over a chunk of values.
 */
export function passInterpreter(
  variant: Variant,
  { program, over, reductions }: MapPass,
  Temporary: TemporaryArray,
): InterpretedPass {
  const { nodes } = program;
  const chunks: readonly Values[] = nodes.map(
    ({ varies }) => new Temporary(varies ? chunkLength : 1),
  );
  const names = arrayNamesOf(variant);
  const isScalar = ({ node }: Binding): boolean => nodes[node].extent === "step";
  const scalarInputs = program.inputs
    .filter(isScalar)
    .map(({ name, node }) => ({ node, scalar: variant.scalars.indexOf(name) }));
  const loads: readonly Access[] = program.inputs
    .filter((input) => !isScalar(input))
    .map(({ name, node }) => ({ node, array: names.indexOf(name), extent: nodes[node].extent }));
  const outputs = program.outputs.map(({ name, node }) => ({
    node,
    array: names.indexOf(storedIn(name)),
    operand: reductions.findIndex((one) => one.name === name),
  }));

  return (arrays, scalars, operands, start, end, rows, columns, shift = 0) => {
    for (let i = 0; i < scalarInputs.length; i += 1) {
      const { node, scalar } = scalarInputs[i];
      chunks[node][0] = Math.fround(scalars[scalar]);
    }
    for (let i = 0; i < loads.length; i += 1) {
      const { node, array } = loads[i];
      if (!nodes[node].varies) chunks[node][0] = arrays[array][0];
    }
    for (let i = 0; i < nodes.length; i += 1) {
      if (nodes[i].op === "number") chunks[i][0] = nodes[i].value;
      else if (!nodes[i].varies && nodes[i].op !== "input") evaluate(nodes[i], i, chunks, 1);
    }
    for (let from = start; from < end; from += chunkLength) {
      const length = Math.min(chunkLength, end - from);
      for (let i = 0; i < loads.length; i += 1) {
        const { node, array, extent } = loads[i];
        const chunk = chunks[node];
        if (!nodes[node].varies) continue;
        if (extent === over) load(chunk, arrays[array], array === 1 ? from + shift : from, length);
        else if (extent === "row") loadRows(chunk, arrays[array], from, length, columns);
        else loadColumns(chunk, arrays[array], from, length, rows, columns);
      }
      for (let i = 0; i < nodes.length; i += 1)
        if (nodes[i].varies && nodes[i].op !== "input") evaluate(nodes[i], i, chunks, length);
      for (let i = 0; i < outputs.length; i += 1) {
        const { node, array, operand } = outputs[i];
        const target = operand < 0 ? arrays[array] : operands[operand];
        const first = operand < 0 ? from : from - start;
        store(target, chunks[node], first, length);
      }
    }
  };
}

function load(chunk: Values, array: Values, start: number, length: number): void {
  for (let i = 0; i < length; i += 1) chunk[i] = array[start + i];
}

/** For each element of a range, the value of its row. */
function loadRows(
  chunk: Values,
  array: Values,
  start: number,
  length: number,
  columns: number,
): void {
  let row = Math.floor(start / columns);
  let column = start - row * columns;
  for (let i = 0; i < length; i += 1) {
    chunk[i] = array[row];
    column += 1;
    if (column < columns) continue;
    column = 0;
    row += 1;
  }
}

/** For each element of a range, the value of its column. */
function loadColumns(
  chunk: Values,
  array: Values,
  start: number,
  length: number,
  rows: number,
  columns: number,
): void {
  let row = Math.floor(start / columns);
  let column = start - row * columns;
  let first = Math.floor(row / rows) * columns;
  for (let i = 0; i < length; i += 1) {
    chunk[i] = array[first + column];
    column += 1;
    if (column < columns) continue;
    column = 0;
    row += 1;
    if (row % rows === 0) first += columns;
  }
}

function store(array: Values, chunk: Values, start: number, length: number): void {
  const step = chunk.length === 1 ? 0 : 1;
  for (let i = 0; i < length; i += 1) array[start + i] = chunk[i * step];
}

/** Evaluates one operation for a chunk. Operands that do not vary have one value, at index 0. */
function evaluate(
  { op, operands }: Node,
  index: number,
  chunks: readonly Values[],
  length: number,
): void {
  const out = chunks[index];
  const a = chunks[operands[0]];
  const b = chunks[operands[Math.min(1, operands.length - 1)]];
  const c = chunks[operands[operands.length - 1]];
  const da = a.length === 1 ? 0 : 1;
  const db = b.length === 1 ? 0 : 1;
  const dc = c.length === 1 ? 0 : 1;
  switch (op) {
    case "neg":
      for (let i = 0; i < length; i += 1) out[i] = -a[i * da];
      break;
    case "abs":
      for (let i = 0; i < length; i += 1) out[i] = Math.abs(a[i * da]);
      break;
    case "sqrt":
      for (let i = 0; i < length; i += 1) out[i] = Math.sqrt(a[i * da]);
      break;
    case "sign":
      for (let i = 0; i < length; i += 1) out[i] = Math.sign(a[i * da]);
      break;
    case "flush":
      for (let i = 0; i < length; i += 1)
        out[i] = Math.abs(a[i * da]) < smallestNormal ? 0 : a[i * da];
      break;
    case "isFinite":
      for (let i = 0; i < length; i += 1) out[i] = Number.isFinite(a[i * da]) ? 1 : 0;
      break;
    case "add":
      for (let i = 0; i < length; i += 1) out[i] = a[i * da] + b[i * db];
      break;
    case "sub":
      for (let i = 0; i < length; i += 1) out[i] = a[i * da] - b[i * db];
      break;
    case "mul":
      for (let i = 0; i < length; i += 1) out[i] = a[i * da] * b[i * db];
      break;
    case "div":
      for (let i = 0; i < length; i += 1) out[i] = a[i * da] / b[i * db];
      break;
    case "min":
      for (let i = 0; i < length; i += 1) out[i] = Math.min(a[i * da], b[i * db]);
      break;
    case "max":
      for (let i = 0; i < length; i += 1) out[i] = Math.max(a[i * da], b[i * db]);
      break;
    case "lt":
      for (let i = 0; i < length; i += 1) out[i] = a[i * da] < b[i * db] ? 1 : 0;
      break;
    case "le":
      for (let i = 0; i < length; i += 1) out[i] = a[i * da] <= b[i * db] ? 1 : 0;
      break;
    case "eq":
      for (let i = 0; i < length; i += 1) out[i] = a[i * da] === b[i * db] ? 1 : 0;
      break;
    case "ne":
      for (let i = 0; i < length; i += 1) out[i] = a[i * da] === b[i * db] ? 0 : 1;
      break;
    case "select":
      for (let i = 0; i < length; i += 1) out[i] = a[i * da] === 1 ? b[i * db] : c[i * dc];
      break;
    case "number":
    case "input":
      // Set before.
      break;
    case "pow":
    case "f32":
    case "floor":
    case "sum":
    case "maximum":
    case "count":
    case "newtonSchulz":
      throw new GradstepError(
        `${op} is an operation of the host or of tensors; an elementwise program cannot hold it.`,
        { code: "INVALID_RULE" },
      );
  }
}
