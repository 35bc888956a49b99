import type {
  Kernel,
  RowMove,
  RowSources,
  StagingTensor,
  Tensor,
  Update,
  Values,
  WrapOptions,
  WrappingBackend,
} from "./backend/backend.js";
import { remapRows } from "./backend/host-rows.js";
import { HostTensor } from "./backend/host-tensor.js";
import { arraysOf } from "./backend/update-arrays.js";
import { interpret } from "./language/interpret.js";
import type { Program } from "./language/program.js";
import { bytecodeOf, type Bytecode } from "./language/bytecode.js";
import type { Variant } from "./rule/variant.js";
import { wrapArray } from "./backend/wrap-array.js";

/**
 * The living definition: interprets every rule element by element, rounding each operation to f32. An exact backend
 * gives these bits. Slow, on purpose without any cleverness.
 */
export function reference(): WrappingBackend<Float32Array> {
  return new ReferenceBackend("reference", "f32", Float32Array);
}

/** The same in f64, scalars included: what the f32 backends are judged against. */
export function oracle(): WrappingBackend<Float64Array> {
  return new ReferenceBackend("oracle", "f64", Float64Array);
}

class ReferenceBackend<T extends Values> implements WrappingBackend<T> {
  readonly name: string;
  readonly precision: "f32" | "f64";
  readonly exact: boolean;
  readonly #array: new (length: number) => T;

  constructor(name: string, precision: "f32" | "f64", array: new (length: number) => T) {
    this.name = name;
    this.precision = precision;
    this.exact = precision === "f32";
    this.#array = array;
  }

  tensor(shape: readonly number[], values?: ArrayLike<number>): Tensor {
    const tensor = HostTensor.allocate(this, this.#array, shape);
    if (values !== undefined) tensor.write(values);
    return tensor;
  }

  staging(shape: readonly number[]): StagingTensor {
    return new HostTensor(this, shape);
  }

  wrap(memory: T, options?: WrapOptions): Tensor {
    const { shape, values, room } = wrapArray(this.#array, memory, options);
    return new HostTensor(this, shape, values, room);
  }

  remap(moves: readonly RowMove[], sources: RowSources): void {
    remapRows(moves, sources);
  }

  compile(variant: Variant): Kernel {
    const rounded = this.precision === "f32";
    const tape = bytecodeOf(variant.perElement);
    return {
      source: variant.perElement.source,
      run: (updates, count) => {
        for (let i = 0; i < count; i += 1) runUpdate(variant, tape, updates[i], rounded);
      },
    };
  }
}

function runUpdate(variant: Variant, tape: Bytecode, update: Update, rounded: boolean): void {
  const { perElement, scalars } = variant;
  const arrays = arraysOf<Values>(variant, update);
  const values = new Float64Array(perElement.nodes.length);
  const loads = bind(perElement.inputs, arrays);
  const stores = bind(perElement.outputs, arrays);
  for (const { name, node } of perElement.inputs) {
    const position = scalars.indexOf(name);
    if (position < 0) continue;
    const scalar = update.scalars[position];
    values[node] = rounded ? Math.fround(scalar) : scalar;
  }
  const { parameter, unselectedRows } = update;
  const mask = update.mask as Uint32Array | undefined;
  const rowLength = parameter.size / (parameter.shape[0] ?? 1);
  const gradient = perElement.inputs.find(({ name }) => name === "g")?.node;
  for (let i = 0; i < parameter.size; i += 1) {
    const isStepped = mask === undefined || mask[Math.floor(i / rowLength)] !== 0;
    if (!isStepped && unselectedRows === "keep") continue;
    for (const { array, node } of loads) values[node] = array[i]!;
    if (!isStepped && gradient !== undefined) values[gradient] = 0;
    interpret(tape, values, rounded);
    for (const { name, array, node } of stores) {
      if (isStepped || unselectedRows === "zero" || name !== "p") array[i] = values[node]!;
    }
  }
}

function bind(
  bindings: Program["inputs"],
  arrays: ReadonlyMap<string, Values>,
): readonly { name: string; array: Values; node: number }[] {
  return bindings.flatMap(({ name, node }) => {
    const array = arrays.get(name);
    return array === undefined ? [] : [{ name, array, node }];
  });
}
