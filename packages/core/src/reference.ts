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
import { remapRows } from "./backend/host-row-remap.js";
import { HostTensor } from "./backend/host-tensor.js";
import { arraysOf } from "./backend/update-arrays.js";
import { interpret } from "./language/interpret.js";
import type { Program } from "./language/program.js";
import { bytecodeOf, type Bytecode } from "./language/bytecode.js";
import type { Variant } from "./rule/variant.js";
import { wrapArray } from "./backend/wrap-array.js";

/**
 * The executable definition of the rule language: interprets a rule element by element and rounds every operation to
 * f32. Exact backends give these bits. Slow and simple on purpose.
 */
export function reference(): WrappingBackend<Float32Array> {
  return new ReferenceBackend("reference", "f32", Float32Array);
}

/** The same in f64, scalars included: the expected values against which f32 backends are checked. */
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
    const { shape, values, reserved } = wrapArray(this.#array, memory, options);
    return new HostTensor(this, shape, values, reserved);
  }

  remap(moves: readonly RowMove[], sources: RowSources): void {
    remapRows(moves, sources);
  }

  compile(variant: Variant): Kernel {
    const rounded = this.precision === "f32";
    const bytecode = bytecodeOf(variant.perElement);
    return {
      source: variant.perElement.source,
      run: (updates, count) => {
        for (let i = 0; i < count; i += 1) runUpdate(variant, bytecode, updates[i], rounded);
      },
    };
  }
}

function runUpdate(variant: Variant, bytecode: Bytecode, update: Update, rounded: boolean): void {
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
    const isSelected = mask === undefined || mask[Math.floor(i / rowLength)] !== 0;
    if (!isSelected && unselectedRows === "keep") continue;
    for (const { array, node } of loads) values[node] = array[i]!;
    if (!isSelected && gradient !== undefined) values[gradient] = 0;
    interpret(bytecode, values, rounded);
    for (const { name, array, node } of stores) {
      if (isSelected || unselectedRows === "zero" || name !== "p") array[i] = values[node]!;
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
