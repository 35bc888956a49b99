// Random layouts in one buffer, compared to plain arrays.
import {
  activate,
  adafactor,
  adam,
  applyChainRule,
  chain,
  clipByGlobalNorm,
  createOptimizer,
  encodeFloat16,
  lamb,
  normOf,
  sgd,
  type Activation,
  type CheckedActivation,
  type HostArray,
  type OptimizerSpec,
  type StepOptions,
  type Tensor,
  type UnselectedRows,
  type Values,
  type WrappingBackend,
} from "@gradstep/core";

type Dtype = "f32" | "f64" | "f16" | "u32" | "i32";

const arrays = {
  f32: Float32Array,
  f64: Float64Array,
  f16: Uint16Array,
  u32: Uint32Array,
  i32: Int32Array,
};

/** Numbers that depend on a seed alone. */
class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = Math.imul(seed, 2654435761) >>> 0;
  }

  /** From 0 to below `end`. */
  below(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * end);
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  of<T>(items: readonly T[]): T {
    return items[this.below(items.length)];
  }

  /** From −2 to 2. */
  value(): number {
    return this.below(2 ** 24) / 2 ** 22 - 2;
  }
}

/** A field of an array of structs. */
interface Field {
  readonly dtype: Dtype;
  readonly columns: number;
  /** From the start of a struct, in bytes. */
  start: number;
}

/** Structs of random fields with random gaps, in a part of a buffer. */
class Structs {
  readonly #random: Random;
  readonly #fields: Field[] = [];
  #end = 0;
  #first = 0;
  #stride = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  add(dtype: Dtype, columns: number): Field {
    const width = arrays[dtype].BYTES_PER_ELEMENT;
    const gap = this.#random.chance(50) ? 0 : width * this.#random.below(3);
    const start = Math.ceil(this.#end / width) * width + gap;
    const field = { dtype, columns, start };
    this.#fields.push(field);
    this.#end = start + width * columns;
    return field;
  }

  /** Decides where the structs begin, and how long they are; returns where they end. */
  place(first: number, rows: number): number {
    this.#first = first + 8 * this.#random.below(3);
    this.#stride = 8 * (Math.ceil(this.#end / 8) + this.#random.below(3));
    return this.#first + rows * this.#stride + 8;
  }

  tensor(
    backend: WrappingBackend<HostArray>,
    buffer: ArrayBuffer,
    { dtype, columns, start }: Field,
    shape: readonly number[],
    scale?: number,
  ): Tensor {
    const width = arrays[dtype].BYTES_PER_ELEMENT;
    const rowStride = this.#stride / width;
    const offset = (this.#first + start) / width;
    const array = new arrays[dtype](buffer);
    // A single row needs no stride, and has no gaps.
    const options = { shape, offset, rowStride: shape.length === 0 ? columns : rowStride };
    return backend.wrap(array, scale === undefined ? options : { ...options, scale });
  }

  /** Calls back with the index of each value of a field in a typed array over the buffer. */
  forEach(
    { dtype, columns, start }: Field,
    rows: number,
    visit: (index: number, value: number) => void,
  ): void {
    const width = arrays[dtype].BYTES_PER_ELEMENT;
    for (let row = 0; row < rows; row += 1)
      for (let column = 0; column < columns; column += 1)
        visit((this.#first + row * this.#stride + start) / width + column, row * columns + column);
  }
}

const activations: readonly Activation[] = [
  "identity",
  "exp",
  "sigmoid",
  "softplus",
  "normalize",
  { kind: "affine", scale: -1.5, offset: 0.25 },
];

function checked(activation: Activation): CheckedActivation {
  return typeof activation === "object" ? activation : { kind: activation, scale: 1, offset: 0 };
}

/** What a gradient is stored as, and where. */
type GradientKind = "array" | "tensor" | Dtype;

/** A parameter of a case, and everything that belongs to it. */
interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
  readonly columns: number;
  /** Undefined for a plain tensor. */
  readonly field: Field | undefined;
  /** The slots that are in the structs. */
  readonly slots: ReadonlyMap<string, Field>;
  readonly gradientKind: GradientKind;
  readonly gradientField: Field | undefined;
  readonly scale: number | undefined;
  readonly activation: Activation;
  readonly copies: readonly { readonly field: Field; readonly as: Activation }[];
}

/** What differs from plain arrays; empty if nothing does. */
export type Differences = readonly string[];

/** Rules in turn, and their slots of elements, which may be in the caller's memory. */
const rules: readonly (readonly [OptimizerSpec, readonly string[]])[] = [
  [adam({ learningRate: 0.01 }), ["m", "v"]],
  [sgd({ learningRate: 0.1 }), []],
  [lamb({ learningRate: 0.01 }), ["m", "v"]],
  [adafactor(), []],
  [chain(clipByGlobalNorm({ globalClipNorm: 1 }), adam({ learningRate: 0.01 })), ["m", "v"]],
];

/** Runs some steps of a random case on a backend with layouts, and on it with plain arrays. */
export async function differencesOfLayout(
  backend: WrappingBackend<HostArray>,
  seed: number,
): Promise<Differences> {
  const [spec, slotNames] = rules[seed % rules.length];
  const random = new Random(seed);
  const { precision } = backend;
  const floats = precision === "f64" ? Float64Array : Float32Array;
  const round = precision === "f64" ? (value: number): number => value : Math.fround;
  const rows = random.chance(10) ? 1 + random.below(3000) : 1 + random.below(40);
  const state = new Structs(random);
  const given = new Structs(random);
  const rendered = new Structs(random);
  const parameters = Array.from({ length: 1 + random.below(3) }, (_, i): Parameter => {
    const width = random.of([1, 1, 2, 3, 4, 6]);
    const shape =
      width === 1 ? [rows] : width === 6 && random.chance(50) ? [rows, 2, 3] : [rows, width];
    const gradientKind = random.of<GradientKind>([
      "array",
      "tensor",
      precision,
      precision,
      "f16",
      "i32",
      "u32",
    ]);
    const isInteger = gradientKind === "i32" || gradientKind === "u32";
    const inStructs = (percent: number): Field | undefined =>
      random.chance(percent) ? state.add(precision, width) : undefined;
    return {
      name: `p${i}`,
      shape,
      columns: width,
      field: inStructs(75),
      slots: new Map(
        slotNames.flatMap((name) => {
          const field = inStructs(50);
          return field === undefined ? [] : [[name, field] as const];
        }),
      ),
      gradientKind,
      gradientField:
        gradientKind === "array" || gradientKind === "tensor"
          ? undefined
          : given.add(gradientKind, width),
      scale: isInteger ? random.of([1e-6, 0.25, 2 ** -20]) : undefined,
      activation: random.chance(50) ? "identity" : random.of(activations),
      copies: Array.from({ length: random.below(3) }, () => ({
        field: rendered.add(random.chance(50) ? "f16" : precision, width),
        as: random.of(activations),
      })),
    };
  });
  let end = 0;
  for (const structs of [state, given, rendered]) end = structs.place(end, rows);
  const buffer = new ArrayBuffer(end);
  new Uint8Array(buffer).forEach((_, i, bytes) => {
    bytes[i] = random.below(256);
  });

  const plain: Record<string, Tensor> = {};
  const laidOut: Record<string, Tensor> = {};
  const slots: Record<string, Record<string, Tensor>> = {};
  const copies: Record<string, { to: Tensor; as: Activation }[]> = {};
  const activatedGradients: Record<string, Activation> = {};
  for (const parameter of parameters) {
    const { name, shape, columns, field, activation } = parameter;
    const first = new floats(rows * columns).map(() => random.value());
    plain[name] = backend.tensor(shape, first);
    laidOut[name] =
      field === undefined
        ? backend.tensor(shape, first)
        : state.tensor(backend, buffer, field, shape);
    laidOut[name].write(first);
    slots[name] = Object.fromEntries(
      [...parameter.slots].map(([slot, at]) => [slot, state.tensor(backend, buffer, at, shape)]),
    );
    copies[name] = parameter.copies.map(({ field: at, as }) => ({
      to: rendered.tensor(backend, buffer, at, shape),
      as,
    }));
    if (activation !== "identity") activatedGradients[name] = activation;
  }
  const expected = createOptimizer(spec, plain);
  const actual = createOptimizer(spec, laidOut, { slots, copies, activatedGradients });
  actual.reset();

  const found: string[] = [];
  const own = new Uint8Array(end);
  const mark = (structs: Structs, field: Field): void => {
    const width = arrays[field.dtype].BYTES_PER_ELEMENT;
    structs.forEach(field, rows, (index) => own.fill(1, index * width, (index + 1) * width));
  };
  for (const { field, slots: ofParameter, copies: ofRenderer, gradientField } of parameters) {
    for (const one of [...(field ? [field] : []), ...ofParameter.values()]) mark(state, one);
    for (const one of ofRenderer) mark(rendered, one.field);
    if (gradientField) mark(given, gradientField);
  }
  const outside = new Uint8Array(buffer.slice(0));

  const isMasked = random.chance(40);
  const unselectedRows = random.of<UnselectedRows>(["keep", "decay", "zero"]);
  const clear = random.chance(40);
  for (let step = 0; step < 3; step += 1) {
    const mask = isMasked
      ? Uint32Array.from({ length: rows }, () => (random.chance(60) ? 1 + random.below(9) : 0))
      : undefined;
    const plainGradients: Record<string, Values> = {};
    const gradients: Record<string, Values | Tensor> = {};
    const given32 = new Map<string, Float32Array | Float64Array>();
    for (const parameter of parameters) {
      const { name, shape, columns, gradientKind, gradientField, scale, activation } = parameter;
      const decoded = new floats(rows * columns);
      if (gradientField === undefined) {
        decoded.forEach((_, i) => {
          decoded[i] = random.value();
        });
        gradients[name] =
          gradientKind === "tensor" ? backend.tensor(shape, decoded) : decoded.slice();
        given32.set(name, decoded.slice());
      } else {
        const stored = new arrays[gradientField.dtype](buffer);
        given.forEach(gradientField, rows, (at, i) => {
          [stored[at], decoded[i]] = randomStored(random, gradientField.dtype, scale ?? 1);
        });
        gradients[name] = given.tensor(backend, buffer, gradientField, shape, scale);
      }
      const all = Uint32Array.from({ length: rows }, (_, i) => i);
      if (activation !== "identity")
        applyChainRule(
          checked(activation),
          { values: floats.from(await plain[name].read()), rows: all },
          { values: decoded, rows: all },
          rows,
          columns,
          round,
        );
      plainGradients[name] = decoded;
    }
    const maskOption = (): StepOptions =>
      mask === undefined
        ? {}
        : {
            rows: random.chance(50) ? mask : backend.wrap(mask, { shape: [rows] }),
            unselectedRows,
          };
    expected.step(plainGradients, mask === undefined ? {} : { rows: mask, unselectedRows });
    actual.step(gradients, { ...maskOption(), ...(clear && { clear }) });

    for (const parameter of parameters) {
      const { name, columns, gradientField } = parameter;
      const value = floats.from(await plain[name].read());
      compare(found, `step ${step}: ${name}`, await laidOut[name].read(), value);
      parameter.copies.forEach(({ field, as }, i) => {
        const stored = new arrays[field.dtype](buffer);
        const activation = checked(as);
        const copy: number[] = [];
        const wanted: number[] = [];
        rendered.forEach(field, rows, (at, k) => {
          const norm = normOf(activation, value, k - (k % columns), columns);
          const activated = activate(activation, value[k], norm, round);
          copy.push(stored[at]);
          wanted.push(field.dtype === "f16" ? encodeFloat16(activated) : activated);
        });
        compare(found, `step ${step}: copy ${i} of ${name}`, copy, wanted);
      });
      const gradient = gradients[name];
      const left = ArrayBuffer.isView(gradient) ? gradient : await gradient.read();
      if (clear) compare(found, `step ${step}: cleared ${name}`, left, new floats(left.length));
      else if (gradientField === undefined)
        compare(found, `step ${step}: gradient ${name}`, left, given32.get(name)!);
    }
  }
  const [expectedState, actualState] = [await expected.state(), await actual.state()];
  for (const [name, ofParameter] of Object.entries(expectedState.slots))
    for (const [slot, values] of Object.entries(ofParameter))
      compare(found, `slot ${slot} of ${name}`, actualState.slots[name][slot], values);
  new Uint8Array(buffer).forEach((byte, i) => {
    if (own[i] === 0 && byte !== outside[i]) found.push(`byte ${i} outside changed`);
  });
  expected.dispose();
  actual.dispose();
  for (const tensor of [...Object.values(plain), ...Object.values(laidOut)]) tensor.free();
  return found;
}

/** A stored number and the value that it stands for. */
function randomStored(random: Random, dtype: Dtype, scale: number): [number, number] {
  if (dtype === "f16") {
    const bits = random.below(2) * 0x8000 + random.below(0x4400);
    const exponent = (bits & 0x7fff) >> 10;
    const fraction = (bits & 0x3ff) / 1024;
    const magnitude = exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15);
    return [bits, bits >= 0x8000 ? -magnitude : magnitude];
  }
  if (dtype === "u32" || dtype === "i32") {
    const whole = random.below(2 ** random.below(32));
    const stored = dtype === "i32" && random.chance(50) ? -Math.floor(whole / 2) : whole;
    const signed = dtype === "i32" ? stored | 0 : stored;
    return [signed, Math.fround(Math.fround(signed) * Math.fround(scale))];
  }
  const value = random.value();
  return [value, value];
}

/** Adds the first difference of two arrays. */
function compare(
  found: string[],
  what: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
): void {
  if (actual.length !== expected.length)
    found.push(`${what}: ${actual.length} values; expected ${expected.length}`);
  for (let i = 0; i < expected.length; i += 1) {
    if (Object.is(actual[i], expected[i])) continue;
    found.push(`${what}: ${actual[i]} at ${i}; expected ${expected[i]}`);
    return;
  }
}
