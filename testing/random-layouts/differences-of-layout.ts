import {
  createOptimizer,
  type Activation,
  type CheckedActivation,
  type HostArray,
  type Optimizer,
  type StepOptions,
  type Tensor,
  type UnselectedRows,
  type Values,
  type WrappingBackend,
} from "@gradstep/core";
import { activate, applyChainRule, encodeFloat16, normOf } from "@gradstep/core/internal";
import { layoutCase, type CaseParameter, type LayoutCase } from "./layout-case.js";
import { Random } from "./random.js";
import { randomStored } from "./stored-number.js";
import { arrays, type Field, type Structs } from "./structs.js";

/**
 * Runs some steps of a random case on a backend with layouts, and on it with plain arrays.
 * @returns what differs; empty if nothing does
 */
export async function differencesOfLayout(
  backend: WrappingBackend<HostArray>,
  seed: number,
): Promise<readonly string[]> {
  const random = new Random(seed);
  const comparison = new LayoutComparison(
    backend,
    layoutCase(seed, random, backend.precision),
    random,
  );
  for (let step = 0; step < 3; step += 1) await comparison.step(`step ${step}`);
  await comparison.compareSlots();
  comparison.compareOtherBytes();
  comparison.dispose();
  return comparison.differences;
}

/** The gradient of a parameter as both optimizers receive it. */
interface GradientPair {
  readonly plain: Values;
  readonly laidOut: Values | Tensor;
  /** What is stored in an array or a plain tensor; undefined for a field. */
  readonly stored: Values | undefined;
}

/** An optimizer whose tensors are fields, and one with plain arrays, which take the same steps. */
class LayoutComparison {
  readonly differences: string[] = [];
  readonly #backend: WrappingBackend<HostArray>;
  readonly #case: LayoutCase;
  readonly #random: Random;
  readonly #plain: Record<string, Tensor> = {};
  readonly #laidOut: Record<string, Tensor> = {};
  readonly #expected: Optimizer;
  readonly #actual: Optimizer;
  readonly #bytesBefore: Uint8Array;
  readonly #isMasked: boolean;
  readonly #unselectedRows: UnselectedRows;
  readonly #clear: boolean;

  constructor(backend: WrappingBackend<HostArray>, layout: LayoutCase, random: Random) {
    const { spec, rows, parameters, state, copies, buffer } = layout;
    this.#backend = backend;
    this.#case = layout;
    this.#random = random;
    const slotTensors: Record<string, Record<string, Tensor>> = {};
    const copyTensors: Record<string, { to: Tensor; as: Activation }[]> = {};
    const activatedGradients: Record<string, Activation> = {};
    for (const { name, shape, columns, field, slots, copies: all, activation } of parameters) {
      const first = this.#zeros(rows * columns).map(() => random.value());
      const inStructs = (at: Field): Tensor => state.tensor(backend, buffer, at, shape);
      this.#plain[name] = backend.tensor(shape, first);
      this.#laidOut[name] = field === undefined ? backend.tensor(shape, first) : inStructs(field);
      this.#laidOut[name].write(first);
      slotTensors[name] = Object.fromEntries([...slots].map(([slot, at]) => [slot, inStructs(at)]));
      copyTensors[name] = all.map(({ field: at, as }) => ({
        to: copies.tensor(backend, buffer, at, shape),
        as,
      }));
      if (activation !== "identity") activatedGradients[name] = activation;
    }
    this.#expected = createOptimizer(spec, this.#plain);
    this.#actual = createOptimizer(spec, this.#laidOut, {
      slots: slotTensors,
      copies: copyTensors,
      activatedGradients,
    });
    this.#actual.reset();
    this.#bytesBefore = new Uint8Array(buffer.slice(0));
    this.#isMasked = random.chance(40);
    this.#unselectedRows = random.of<UnselectedRows>(["keep", "decay", "zero"]);
    this.#clear = random.chance(40);
  }

  /** Takes one step with random gradients in both, and compares parameters, copies and gradients. */
  async step(what: string): Promise<void> {
    const { rows, parameters } = this.#case;
    const mask = this.#isMasked
      ? Uint32Array.from({ length: rows }, () =>
          this.#random.chance(60) ? 1 + this.#random.below(9) : 0,
        )
      : undefined;
    const gradients = new Map<CaseParameter, GradientPair>();
    for (const parameter of parameters)
      gradients.set(parameter, await this.#randomGradient(parameter));
    const byName = <T>(of: (pair: GradientPair) => T): Record<string, T> =>
      Object.fromEntries([...gradients].map(([{ name }, pair]) => [name, of(pair)]));
    this.#expected.step(
      byName(({ plain }) => plain),
      this.#maskOption(mask),
    );
    const isTensor = mask !== undefined && this.#random.chance(50);
    this.#actual.step(
      byName(({ laidOut }) => laidOut),
      {
        ...this.#maskOption(isTensor ? this.#backend.wrap(mask, { shape: [rows] }) : mask),
        ...(this.#clear && { clear: true }),
      },
    );
    for (const [parameter, pair] of gradients) {
      const { name } = parameter;
      const value = this.#array(await this.#plain[name].read());
      this.#compare(`${what}: ${name}`, await this.#laidOut[name].read(), value);
      this.#compareCopies(what, parameter, value);
      await this.#compareGradient(what, name, pair);
    }
  }

  async compareSlots(): Promise<void> {
    const [expected, actual] = [await this.#expected.state(), await this.#actual.state()];
    for (const [name, slots] of Object.entries(expected.slots))
      for (const [slot, values] of Object.entries(slots))
        this.#compare(`slot ${slot} of ${name}`, actual.slots[name][slot], values);
  }

  /** Bytes that belong to no field must be as they were. */
  compareOtherBytes(): void {
    const { rows, parameters, state, gradients, copies, buffer } = this.#case;
    const owned = new Uint8Array(buffer.byteLength);
    const mark = (structs: Structs, field: Field | undefined): void => {
      if (field === undefined) return;
      const width = arrays[field.dtype].BYTES_PER_ELEMENT;
      structs.forEach(field, rows, (i) => owned.fill(1, i * width, (i + 1) * width));
    };
    for (const { field, slots, gradientField, copies: all } of parameters) {
      for (const one of [field, ...slots.values()]) mark(state, one);
      for (const one of all) mark(copies, one.field);
      mark(gradients, gradientField);
    }
    new Uint8Array(buffer).forEach((byte, i) => {
      if (owned[i] === 0 && byte !== this.#bytesBefore[i])
        this.differences.push(`byte ${i} outside changed`);
    });
  }

  dispose(): void {
    this.#expected.dispose();
    this.#actual.dispose();
    for (const tensors of [this.#plain, this.#laidOut])
      for (const tensor of Object.values(tensors)) tensor.free();
  }

  /** A gradient as it is stored, and by the parameter itself after the chain rule. */
  async #randomGradient(parameter: CaseParameter): Promise<GradientPair> {
    const { name, columns, activation } = parameter;
    const { rows } = this.#case;
    const { decoded, laidOut, stored } = this.#randomNumbers(parameter);
    if (activation !== "identity") {
      const all = Uint32Array.from({ length: rows }, (_, i) => i);
      applyChainRule(
        checked(activation),
        { values: this.#array(await this.#plain[name].read()), rows: all },
        { values: decoded, rows: all },
        rows,
        columns,
        this.#round,
      );
    }
    return { plain: decoded, laidOut, stored };
  }

  /** The numbers of a gradient, decoded and as they are stored. */
  #randomNumbers({ shape, columns, gradientKind, gradientField, scale }: CaseParameter): {
    readonly decoded: Values;
    readonly laidOut: Values | Tensor;
    readonly stored: Values | undefined;
  } {
    const { rows, buffer, gradients } = this.#case;
    if (gradientField === undefined) {
      const decoded = this.#zeros(rows * columns).map(() => this.#random.value());
      const laidOut =
        gradientKind === "tensor" ? this.#backend.tensor(shape, decoded) : decoded.slice();
      return { decoded, laidOut, stored: decoded.slice() };
    }
    const decoded = this.#zeros(rows * columns);
    const array = new arrays[gradientField.dtype](buffer);
    gradients.forEach(gradientField, rows, (at, i) => {
      [array[at], decoded[i]] = randomStored(this.#random, gradientField.dtype, scale ?? 1);
    });
    const laidOut = gradients.tensor(this.#backend, buffer, gradientField, shape, scale);
    return { decoded, laidOut, stored: undefined };
  }

  #compareCopies(what: string, { name, columns, copies: all }: CaseParameter, value: Values): void {
    const { rows, buffer, copies } = this.#case;
    all.forEach(({ field, as }, i) => {
      const stored = new arrays[field.dtype](buffer);
      const activation = checked(as);
      const got: number[] = [];
      const wanted: number[] = [];
      copies.forEach(field, rows, (at, k) => {
        const norm = normOf(activation, value, k - (k % columns), columns);
        const activated = activate(activation, value[k], norm, this.#round);
        got.push(stored[at]);
        wanted.push(field.dtype === "f16" ? encodeFloat16(activated) : activated);
      });
      this.#compare(`${what}: copy ${i} of ${name}`, got, wanted);
    });
  }

  async #compareGradient(
    what: string,
    name: string,
    { laidOut, stored }: GradientPair,
  ): Promise<void> {
    const left = ArrayBuffer.isView(laidOut) ? laidOut : await laidOut.read();
    if (this.#clear) this.#compare(`${what}: cleared ${name}`, left, this.#zeros(left.length));
    else if (stored !== undefined) this.#compare(`${what}: gradient ${name}`, left, stored);
  }

  /** Adds the first difference of two arrays. */
  #compare(what: string, actual: ArrayLike<number>, expected: ArrayLike<number>): void {
    if (actual.length !== expected.length)
      this.differences.push(`${what}: ${actual.length} values; expected ${expected.length}`);
    for (let i = 0; i < expected.length; i += 1) {
      if (Object.is(actual[i], expected[i])) continue;
      this.differences.push(`${what}: ${actual[i]} at ${i}; expected ${expected[i]}`);
      return;
    }
  }

  #maskOption(rows: Uint32Array | Tensor | undefined): StepOptions {
    return rows === undefined ? {} : { rows, unselectedRows: this.#unselectedRows };
  }

  get #round(): (value: number) => number {
    return this.#backend.precision === "f64" ? (value) => value : Math.fround;
  }

  #zeros(length: number): Values {
    return this.#backend.precision === "f64" ? new Float64Array(length) : new Float32Array(length);
  }

  #array(values: ArrayLike<number>): Values {
    return this.#backend.precision === "f64"
      ? Float64Array.from(values)
      : Float32Array.from(values);
  }
}

function checked(activation: Activation): CheckedActivation {
  return typeof activation === "object" ? activation : { kind: activation, scale: 1, offset: 0 };
}
