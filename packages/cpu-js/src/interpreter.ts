import { GradstepError, smallestNormal, type Node, type Variant } from "@gradstep/core";
import type { KernelFunction } from "./kernel-table.js";

/** The values of one node for a chunk of elements. A Float32Array rounds every operation, a Float64Array none. */
type Chunk = Float32Array | Float64Array;

/** Elements per chunk: all chunks of a rule fit into the L1 cache, and the loops outweigh the calls. */
const chunkLength = 1024;

/**
 * The kernel of a variant that was not compiled ahead of time. It needs no `eval`, which a Content-Security-Policy may
 * forbid: each operation is a loop over a chunk of values.
 *
 * @param exact rounds the result of every operation to f32
 */
export function interpreter(variant: Variant, exact: boolean): KernelFunction {
  const { nodes, inputs, outputs } = variant.perElement;
  const chunks: readonly Chunk[] = nodes.map(({ varies }) => {
    const length = varies ? chunkLength : 1;
    return exact ? new Float32Array(length) : new Float64Array(length);
  });
  const arrayIndex = new Map(
    ["p", "g", ...variant.slots.map(({ name }) => name)].map((name, i) => [name, i]),
  );
  const arrays: Float32Array[] = [];

  return (p, g, slots, scalars, start, end) => {
    arrays[0] = p;
    arrays[1] = g;
    for (let i = 0; i < slots.length; i += 1) arrays[i + 2] = slots[i];
    for (let i = 0; i < inputs.length; i += 1) {
      const { name, node } = inputs[i];
      if (!nodes[node].varies)
        chunks[node][0] = Math.fround(scalars[variant.scalars.indexOf(name)]);
    }
    for (let i = 0; i < nodes.length; i += 1) {
      if (nodes[i].op === "number") chunks[i][0] = nodes[i].value;
      else if (!nodes[i].varies && nodes[i].op !== "input") evaluate(nodes[i], i, chunks, 1);
    }
    for (let from = start; from < end; from += chunkLength) {
      const length = Math.min(chunkLength, end - from);
      for (let i = 0; i < nodes.length; i += 1) {
        const node = nodes[i];
        if (!node.varies) continue;
        if (node.op === "input") load(chunks[i], arrays[arrayIndex.get(node.name)!], from, length);
        else evaluate(node, i, chunks, length);
      }
      for (let i = 0; i < outputs.length; i += 1) {
        const { name, node } = outputs[i];
        store(arrays[arrayIndex.get(name)!], chunks[node], from, length, nodes[node].varies);
      }
    }
  };
}

function load(chunk: Chunk, array: Float32Array, start: number, length: number): void {
  for (let i = 0; i < length; i += 1) chunk[i] = array[start + i];
}

function store(
  array: Float32Array,
  chunk: Chunk,
  start: number,
  length: number,
  varies: boolean,
): void {
  for (let i = 0; i < length; i += 1) array[start + i] = chunk[varies ? i : 0];
}

/** Evaluates one operation for a chunk. Operands that do not vary have one value, at index 0. */
function evaluate(
  { op, operands }: Node,
  index: number,
  chunks: readonly Chunk[],
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
        `${op} is an operation of the host or of tensors; a program of elements cannot hold it.`,
        { code: "INVALID_RULE" },
      );
  }
}
