import {
  HostTensor,
  type CheckedActivation,
  type ParameterCopy,
  type RowList,
  type Tensor,
  type Update,
} from "@gradstep/core";
import { decodeField, extentOf, fieldOf, readField, writeField } from "./field.js";
import { largestFloat16, roundFloat16 } from "./float16.js";
import { chainRule } from "./activation-gradients.js";
import { activate } from "./activate.js";

/** What updates with layouts consist of, besides the rule itself. Each function gets and gives values without gaps. */
export interface LayoutOperations {
  /** Reads a parameter or a slot. */
  readonly read: (tensor: Tensor) => Float32Array;
  /** Writes a parameter or a slot. */
  readonly write: (tensor: Tensor, values: Float32Array) => void;
  /** Reads a gradient. */
  readonly decode: (tensor: Tensor) => Float32Array;
  /** Gradients by the parameter from those by its activated values, of one row. */
  readonly chainRule: (
    activation: CheckedActivation,
    row: Float32Array,
    gradients: Float32Array,
  ) => ArrayLike<number>;
  /** The activated values of one row. */
  readonly activate: (activation: CheckedActivation, row: Float32Array) => ArrayLike<number>;
  /** Writes a copy. */
  readonly fill: (target: Tensor, values: ArrayLike<number>) => void;
  /** Sets a gradient to 0. */
  readonly clear: (gradient: Tensor, update: Update) => void;
}

/** The operations as backends on hosts have them. */
export const hostOperations: LayoutOperations = {
  read: (tensor) => Float32Array.from(storedIn(tensor)),
  write: store,
  decode: (tensor) => decodeField(fieldOf(tensor).field, storedIn(tensor)),
  chainRule,
  activate,
  fill: (target, values) => {
    const { dtype } = fieldOf(target).field;
    const clamp = (value: number): number =>
      Math.max(-largestFloat16, Math.min(largestFloat16, value));
    store(
      target,
      dtype === "f16" ? Array.from(values, (value) => roundFloat16(clamp(value))) : values,
    );
  },
  clear: (gradient) => store(gradient, new Float32Array(gradient.size)),
};

/** Plain updates, and what is left to do when they were run. */
export interface PlainUpdates {
  readonly updates: readonly Update[];
  readonly finish: () => void;
}

/** Makes plain updates of updates with layouts, copies and activations: gathers arrays, and scatters the results. */
export class LaidOutUpdates {
  readonly #operations: LayoutOperations;

  constructor(operations: LayoutOperations) {
    this.#operations = operations;
  }

  plain(updates: readonly Update[]): PlainUpdates {
    const arrays = new Map<Tensor, HostTensor<Float32Array>>();
    const plainOf = (tensor: Tensor): Tensor => {
      if (tensor.layout === undefined) return tensor;
      const { backend, shape } = tensor;
      const array =
        arrays.get(tensor) ?? new HostTensor(backend, shape, this.#operations.read(tensor));
      arrays.set(tensor, array);
      return array;
    };
    return {
      updates: updates.map((update) => ({
        ...update,
        parameter: plainOf(update.parameter),
        gradient: this.#gradientOf(update),
        slots: update.slots.map(plainOf),
        mask: plainMask(update.mask),
        copies: [],
        gradientActivation: undefined,
        clearsGradient: false,
      })),
      finish: () => {
        for (const [tensor, array] of arrays) this.#operations.write(tensor, array.view());
        for (const { parameter, copies } of updates)
          for (const copy of copies) this.fillCopy(parameter, copy);
        for (const update of updates)
          if (update.clearsGradient) this.#operations.clear(update.gradient, update);
      },
    };
  }

  fillCopy(parameter: Tensor, { target, activation }: ParameterCopy): void {
    const { activate: activated, fill, read } = this.#operations;
    const rows = rowsOf(read(parameter), parameter.shape);
    fill(
      target,
      rows.flatMap((row) => Array.from(activated(activation, row))),
    );
  }

  /** A gradient by the parameter, as a plain tensor. */
  #gradientOf(update: Update): Tensor {
    const { parameter, gradient, gradientActivation } = update;
    if (gradient.layout === undefined && gradientActivation === undefined) return gradient;
    const { chainRule: derive, decode, read } = this.#operations;
    const values = decode(gradient);
    if (gradientActivation !== undefined) {
      const rows = rowsOf(read(parameter), parameter.shape);
      const gradients = rowsOf(values, gradient.shape);
      for (const [row, gradientRow] of updatedRows(update)) {
        const derived = derive(gradientActivation, rows[row], gradients[gradientRow]);
        gradients[gradientRow].set(derived);
      }
    }
    return new HostTensor(gradient.backend, gradient.shape, values);
  }
}

/** A mask as an array, as the passes of the reference take it. */
function plainMask(mask: Update["mask"]): Uint32Array | undefined {
  if (mask === undefined || mask instanceof Uint32Array) return mask;
  return Uint32Array.from(storedIn(mask));
}

/** The rows of the parameter, and those of the gradient. */
function* updatedRows({ rows, parameter }: Update): Iterable<readonly [number, number]> {
  if (rows === undefined) {
    for (let i = 0; i < extentOf(parameter.shape).rows; i += 1) yield [i, i];
    return;
  }
  const { indices, gradientRows, start, end } = rows as RowList;
  for (let i = start; i < end; i += 1) yield [indices[i], gradientRows[i]];
}

/** What a tensor in host memory stores, without gaps. */
function storedIn(tensor: Tensor): Float64Array {
  const { words, field } = fieldOf(tensor);
  return readField(words, field);
}

function store(tensor: Tensor, values: ArrayLike<number>): void {
  const { words, field } = fieldOf(tensor);
  writeField(words, field, values);
}

/** The values of each row, which are live. */
export function rowsOf(values: Float32Array, shape: readonly number[]): readonly Float32Array[] {
  const { rows, columns } = extentOf(shape);
  return Array.from({ length: rows }, (_, i) => values.subarray(i * columns, (i + 1) * columns));
}
