import { HostTensor, type CheckedActivation, type Tensor, type Update } from "@gradstep/core";
import { decodeField, extentOf, fieldOf, readField, writeField } from "./field.js";
import { largestFloat16, roundFloat16 } from "./float16.js";
import { chainRule } from "./chain-rule.js";
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

/** Runs updates with layouts, copies and activations: gathers plain arrays, runs them, and scatters the results. */
export class LaidOutUpdates {
  readonly #operations: LayoutOperations;
  readonly #run: (updates: readonly Update[]) => void;

  /** @param run runs plain updates */
  constructor(operations: LayoutOperations, run: (updates: readonly Update[]) => void) {
    this.#operations = operations;
    this.#run = run;
  }

  run(updates: readonly Update[]): void {
    const plain = updates.map((update) => this.#plainOf(update));
    this.#run(plain);
    updates.forEach((update, i) => {
      this.#finish(update, plain[i]);
    });
  }

  /** Fills copies of a parameter. */
  fillCopies({ parameter, copies }: Pick<Update, "parameter" | "copies">): void {
    const { activate: activated, fill, read } = this.#operations;
    if (copies.length === 0) return;
    const rows = rowsOf(read(parameter), parameter.shape);
    for (const { target, activation } of copies)
      fill(
        target,
        rows.flatMap((row) => Array.from(activated(activation, row))),
      );
  }

  #plainOf(update: Update): Update {
    const { decode, chainRule: derive } = this.#operations;
    const { parameter, gradient, gradientActivation, slots } = update;
    let values = decode(gradient);
    if (gradientActivation !== undefined) {
      const rows = rowsOf(this.#operations.read(parameter), parameter.shape);
      const columns = values.length / (gradient.shape[0] ?? 1);
      values = Float32Array.from(
        rows.flatMap((row, i) =>
          Array.from(
            derive(gradientActivation, row, values.subarray(i * columns, (i + 1) * columns)),
          ),
        ),
      );
    }
    return {
      ...update,
      parameter: this.#plain(parameter),
      gradient: new HostTensor(gradient.backend, gradient.shape, values),
      slots: slots.map((slot) => this.#plain(slot)),
      copies: [],
      gradientActivation: undefined,
      clearsGradient: false,
    };
  }

  #plain(tensor: Tensor): Tensor {
    if (tensor.layout === undefined) return tensor;
    return new HostTensor(tensor.backend, tensor.shape, this.#operations.read(tensor));
  }

  #finish(update: Update, plain: Update): void {
    const { write, clear } = this.#operations;
    const store = (tensor: Tensor, from: Tensor): void => {
      if (tensor !== from) write(tensor, (from as HostTensor<Float32Array>).view());
    };
    store(update.parameter, plain.parameter);
    update.slots.forEach((slot, k) => {
      store(slot, plain.slots[k]);
    });
    this.fillCopies(update);
    if (update.clearsGradient) clear(update.gradient, update);
  }
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

function rowsOf(values: Float32Array, shape: readonly number[]): readonly Float32Array[] {
  const { rows, columns } = extentOf(shape);
  return Array.from({ length: rows }, (_, i) => values.subarray(i * columns, (i + 1) * columns));
}
