import {
  entryHead,
  scalarGroups,
  tileLength,
  type Form,
  type RowForm,
} from "../shaders/kernel-layout.js";

/** Where an array of f32 values is. */
export interface Place {
  readonly buffer: GPUBuffer;
  /** In values from the buffer's beginning. */
  readonly start: number;
}

/** One tensor's part in a step: the same elements of each array. */
export interface Part {
  /** `p`, `g` and the slots. */
  readonly places: readonly Place[];
  readonly count: number;
  /** Which group's scalars it takes, by identity. */
  readonly scalars: Float64Array;
}

/** A part of a buffer as it is bound. */
export interface Window {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly size: number;
}

/** One dispatch: what is bound, and the table that says which elements are updated. */
export interface Dispatch<F = Form | RowForm> {
  readonly form: F;
  readonly windows: readonly Window[];
  readonly table: Uint32Array<ArrayBuffer>;
  readonly tiles: number;
  /** The scalars of each group that occurs in it. */
  readonly scalars: readonly Float64Array[];
}

/** What a device allows, and no more than `alignment` bytes are bound besides what is used. */
export interface BindingLimits {
  /** Bytes in one binding. */
  readonly bindingSize: number;
  /** What the offset of a binding is a multiple of. */
  readonly alignment: number;
}

/** What a device allows. */
export function bindingLimits({ limits }: GPUDevice): BindingLimits {
  const { maxStorageBufferBindingSize, minStorageBufferOffsetAlignment } = limits;
  return {
    bindingSize: maxStorageBufferBindingSize - (maxStorageBufferBindingSize % 16),
    alignment: minStorageBufferOffsetAlignment,
  };
}

interface Piece extends Part {
  readonly form: Form;
  /** Pieces of equal keys may be in one dispatch. */
  readonly key: string;
}

interface Range {
  low: number;
  high: number;
}

/**
 * As few dispatches as there can be for some tensors: one for each combination of buffers, as long as what is used of
 * each fits into one binding.
 *
 * Ranges that begin at multiples of four in every array are updated four values at a time, up to a rest of three; all
 * others one value at a time. Nothing outside the parts is touched.
 */
export function plan(parts: readonly Part[], limits: BindingLimits): Dispatch<Form>[] {
  const ids = new Map<GPUBuffer, number>();
  const id = (buffer: GPUBuffer): number => {
    const found = ids.get(buffer) ?? ids.size;
    ids.set(buffer, found);
    return found;
  };
  const pieces: Piece[] = [];
  for (const part of parts) {
    for (const bounded of split(part, limits)) {
      const { places, count } = bounded;
      const gradients = gradientsOf(bounded, limits);
      const fours = places.every(({ start }) => start % 4 === 0) ? count - (count % 4) : 0;
      const buffers = places.map(({ buffer }) => id(buffer)).join(" ");
      const add = (width: 1 | 4, from: number, length: number): void => {
        if (length === 0) return;
        const key = `${width} ${gradients} ${buffers}`;
        pieces.push({ ...slice(bounded, from, length), form: { width, gradients }, key });
      };
      add(4, 0, fours);
      add(1, fours, count - fours);
    }
  }
  // Neighbours in memory come together, so that what is bound stays small and ranges join.
  pieces.sort(
    (a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0) || a.places[0].start - b.places[0].start,
  );
  const builders: Builder[] = [];
  for (const piece of pieces) {
    const last = builders.at(-1);
    if (last?.add(piece) !== true) builders.push(new Builder(piece, limits));
  }
  return builders.map((builder) => builder.finish());
}

function slice({ places, scalars }: Part, from: number, count: number): Part {
  return {
    places: places.map(({ buffer, start }) => ({ buffer, start: start + from })),
    count,
    scalars,
  };
}

/** Pieces of which each array fits into one binding, whatever its alignment. */
function* split(part: Part, limits: BindingLimits): Generator<Part> {
  const step = limits.alignment / 4;
  const most = Math.max(1, Math.floor((limits.bindingSize - limits.alignment) / 4 / step)) * step;
  for (let from = 0; from < part.count; from += most) {
    yield* separable(slice(part, from, Math.min(most, part.count - from)), limits);
  }
}

/** Halves a piece whose gradients can neither share a binding with the parameters nor have one beside them. */
function* separable(part: Part, limits: BindingLimits): Generator<Part> {
  const { count } = part;
  const gradients = gradientsOf(part, limits);
  if (gradients !== "beside" || count < 8 || !meets(part, limits)) {
    yield part;
    return;
  }
  const half = Math.ceil(count / 8) * 4;
  yield* separable(slice(part, 0, half), limits);
  yield* separable(slice(part, half, count - half), limits);
}

function gradientsOf({ places: [p, g], count }: Part, limits: BindingLimits): Form["gradients"] {
  if (p.buffer !== g.buffer) return "apart";
  const both = aligned(
    { low: Math.min(p.start, g.start), high: Math.max(p.start, g.start) + count },
    limits,
  );
  return both.high - both.low <= limits.bindingSize ? "joined" : "beside";
}

/** Whether the bindings of parameters and gradients would share bytes. */
function meets({ places: [p, g], count }: Part, limits: BindingLimits): boolean {
  return overlap(
    aligned({ low: p.start, high: p.start + count }, limits),
    aligned({ low: g.start, high: g.start + count }, limits),
  );
}

function overlap(a: Range, b: Range): boolean {
  return a.low < b.high && b.low < a.high;
}

/** A range of values as a range of bytes that can be bound. */
function aligned({ low, high }: Range, { alignment }: BindingLimits): Range {
  return { low: low * 4 - ((low * 4) % alignment), high: high * 4 };
}

/** Collects pieces of one dispatch. */
class Builder {
  readonly #form: Form;
  readonly #key: string;
  readonly #limits: BindingLimits;
  readonly #buffers: readonly GPUBuffer[];
  readonly #pieces: { starts: number[]; count: number; scalars: Float64Array }[] = [];
  readonly #scalars: Float64Array[] = [];
  #ranges: Range[];

  constructor(piece: Piece, limits: BindingLimits) {
    this.#form = piece.form;
    this.#key = piece.key;
    this.#limits = limits;
    this.#ranges = this.#bound(piece);
    this.#buffers = this.#bindings(piece.places.map(({ buffer }) => buffer));
    this.#push(piece);
  }

  /** Adds a piece, unless it has to be in another dispatch. */
  add(piece: Piece): boolean {
    if (piece.key !== this.#key) return false;
    if (this.#scalars.length === scalarGroups && !this.#scalars.includes(piece.scalars))
      return false;
    const ranges = this.#bound(piece).map(({ low, high }, i) => ({
      low: Math.min(low, this.#ranges[i].low),
      high: Math.max(high, this.#ranges[i].high),
    }));
    const fits = ranges.every((range) => {
      const { low, high } = aligned(range, this.#limits);
      return high - low <= this.#limits.bindingSize;
    });
    if (!fits) return false;
    if (this.#form.gradients === "beside") {
      const [p, g] = ranges.map((range) => aligned(range, this.#limits));
      if (overlap(p, g)) return false;
    }
    this.#ranges = ranges;
    this.#push(piece);
    return true;
  }

  finish(): Dispatch<Form> {
    const { width } = this.#form;
    const bound = this.#ranges.map((range) => aligned(range, this.#limits));
    const counts = this.#pieces.map(({ count }) => Math.ceil(count / width / tileLength));
    const tiles = counts.reduce((sum, count) => sum + count, 0);
    const entryLength = entryHead + this.#pieces[0].starts.length;
    const table = new Uint32Array(1 + tiles + entryLength * this.#pieces.length);
    table[0] = tiles;
    let tile = 0;
    this.#pieces.forEach(({ starts, count, scalars }, i) => {
      const entry = 1 + tiles + entryLength * i;
      table[entry] = tile;
      table[entry + 1] = count / width;
      table[entry + 2] = this.#scalars.indexOf(scalars);
      starts.forEach((start, k) => {
        table[entry + entryHead + k] = (start - bound[this.#home(k)].low / 4) / width;
      });
      table.fill(entry, 1 + tile, 1 + tile + counts[i]);
      tile += counts[i];
    });
    const windows = bound.map(({ low, high }, i) => ({
      buffer: this.#buffers[i],
      offset: low,
      size: high - low,
    }));
    return { form: this.#form, windows, table, tiles, scalars: this.#scalars };
  }

  /** Which binding holds array `k` (`p`, `g`, slots). */
  #home(k: number): number {
    if (this.#form.gradients !== "joined" || k === 0) return k;
    return k - 1;
  }

  /** What a list with one element for each array is for the bindings. */
  #bindings<T>(arrays: readonly T[]): T[] {
    return this.#form.gradients === "joined" ? [arrays[0], ...arrays.slice(2)] : [...arrays];
  }

  #bound({ places, count }: Part): Range[] {
    const ranges = places.map(({ start }) => ({ low: start, high: start + count }));
    if (this.#form.gradients === "joined") {
      const [p, g] = ranges;
      ranges[0] = { low: Math.min(p.low, g.low), high: Math.max(p.high, g.high) };
    }
    return this.#bindings(ranges);
  }

  #push({ places, count, scalars }: Part): void {
    const starts = places.map(({ start }) => start);
    if (!this.#scalars.includes(scalars)) this.#scalars.push(scalars);
    const last = this.#pieces.at(-1);
    const continues =
      last !== undefined &&
      last.scalars === scalars &&
      starts.every((start, k) => start === last.starts[k] + last.count);
    if (continues) last.count += count;
    else this.#pieces.push({ starts, count, scalars });
  }
}
