import { identity } from "@gradstep/core";
import type { UnselectedRows, Tensor, Update, Values, Variant } from "@gradstep/core";
import type { WebGpu } from "@gradstep/webgpu";
import { bufferOf, wordsOf } from "./buffers.js";
import { decodeFloat16, encodeFloat16, isRounded } from "./float16.js";
import type { Random } from "./random.js";

/** How a tensor of a fixture is updated. */
export interface RowCase {
  readonly rows: number;
  readonly columns: number;
  readonly gradient: "plain" | "strided" | "f16";
  readonly mask: "none" | "array" | "tensor" | "strided";
  /** The probability that a row is selected. */
  readonly density: number;
  readonly unselectedRows: UnselectedRows;
  readonly mirror: "none" | "contiguous" | "padded";
  readonly scalars: Float64Array;
}

/** Rows in a buffer, in units of words or half words. */
interface Rows {
  readonly start: number;
  readonly stride: number;
}

interface Member {
  readonly one: RowCase;
  readonly parameter: Rows;
  readonly gradient: Rows;
  readonly mask: Rows;
  readonly mirror: Rows;
  readonly maskValues: Uint32Array<ArrayBuffer>;
}

/** The contents of the buffers. */
interface Contents {
  parameters: Uint32Array<ArrayBuffer>;
  gradients: Uint32Array<ArrayBuffer>;
  masks: Uint32Array<ArrayBuffer>;
  copies: Uint32Array<ArrayBuffer>;
}

const maxFloat16 = 65504;

const names = ["parameters", "gradients", "masks", "copies"] as const;

/** The number of wrong results after a step. */
export interface Findings {
  /** Parameters and slots whose bits differ from those of plain arrays around dense steps. */
  values: number;
  /** f16 that are not the parameter, rounded up or down (WGSL allows both) and clamped to the range; any for NaN. */
  copies: number;
  /** Changed bytes outside of all tensors. */
  outside: number;
}

/**
 * Wrapped tensors at random offsets of four buffers: parameters, gradients (f32 and f16 mixed), masks and packed
 * copies. The expected results of a step are computed with plain arrays around a dense step.
 */
export class RowFixture {
  readonly #backend: WebGpu;
  readonly #variant: Variant;
  readonly #members: Member[] = [];
  readonly #before: Contents;
  readonly #buffers: Record<keyof Contents, GPUBuffer>;
  readonly #slots: Values[][];
  readonly #isShared: boolean;
  readonly updates: Update[];

  /** @param isShared whether gradients follow the parameters in one buffer */
  constructor(
    backend: WebGpu,
    variant: Variant,
    random: Random,
    cases: readonly RowCase[],
    isShared = false,
  ) {
    this.#isShared = isShared;
    this.#backend = backend;
    this.#variant = variant;
    const ends = { parameters: 0, gradients: 0, masks: 0, copies: 0 };
    const gap = (): number => random.below(9);
    for (const one of cases) {
      const { rows, columns } = one;
      const take = (name: keyof Contents, stride: number, length: number, even: boolean): Rows => {
        let start = ends[name] + gap();
        if (even && start % 2 === 1) start += 1;
        ends[name] = start + (rows - 1) * stride + length;
        return { start, stride };
      };
      const isHalf = one.gradient === "f16";
      // In units of two bytes; an f32 starts at an even one.
      const unit = isHalf ? 1 : 2;
      const gradientStride = (columns + (one.gradient === "plain" ? 0 : random.below(6))) * unit;
      const mirrorStride =
        one.mirror === "padded" ? columns + (columns % 2) + 2 * random.below(3) : columns;
      this.#members.push({
        one,
        parameter: take("parameters", columns, columns, false),
        gradient: take("gradients", gradientStride, columns * unit, !isHalf),
        mask: take("masks", one.mask === "strided" ? 1 + random.below(4) : 1, 1, false),
        mirror: take("copies", mirrorStride, columns, true),
        maskValues: Uint32Array.from({ length: rows }, () =>
          random.unit() < one.density ? 1 + random.below(2 ** 32 - 1) : 0,
        ),
      });
    }
    const filled = (length: number): Uint32Array<ArrayBuffer> =>
      Uint32Array.from({ length }, () => random.below(2 ** 32));
    this.#before = {
      parameters: new Uint32Array(random.values(ends.parameters + gap()).buffer),
      gradients: filled(Math.ceil(ends.gradients / 2) + gap()),
      masks: filled(ends.masks + gap()),
      copies: filled(Math.ceil(ends.copies / 2) + gap()),
    };
    for (const member of this.#members) this.#fill(member, random);
    this.#buffers = Object.fromEntries(
      names.map((name) => [
        name,
        bufferOf(backend.device, new Float32Array(this.#before[name].buffer)),
      ]),
    ) as Record<keyof Contents, GPUBuffer>;
    if (isShared) {
      const { parameters, gradients } = this.#before;
      const both = Uint32Array.from([...parameters, ...gradients]);
      const buffer = bufferOf(backend.device, new Float32Array(both.buffer));
      this.#buffers.parameters = buffer;
      this.#buffers.gradients = buffer;
    }
    this.#slots = this.#members.map(({ one }) =>
      variant.slots.map(() => random.values(one.rows * one.columns).map(Math.abs)),
    );
    this.updates = this.#members.map((member, i) => this.#update(member, this.#slots[i]));
  }

  /** Compares all buffers with the expected results of one step. */
  async findings(): Promise<Findings> {
    const found: Findings = { values: 0, copies: 0, outside: 0 };
    const expected = await this.#expected();
    const after = Object.fromEntries(
      await Promise.all(
        names.map(
          async (name) => [name, await wordsOf(this.#backend.device, this.#buffers[name])] as const,
        ),
      ),
    ) as unknown as Contents;
    if (this.#isShared) {
      const { length } = this.#before.parameters;
      after.gradients = after.parameters.slice(length);
      after.parameters = after.parameters.slice(0, length);
    }
    const parameters = new Float32Array(this.#before.parameters.buffer.slice(0));
    const copies = new Uint16Array(this.#before.copies.buffer.slice(0));
    const gotCopies = new Uint16Array(after.copies.buffer);
    /** The value that is packed, by position. */
    const sources = new Map<number, number>();
    const inside = new Set<number>();
    for (const [i, { one, parameter, mirror, maskValues }] of this.#members.entries()) {
      const { p, slots } = expected[i];
      parameters.set(p, parameter.start);
      for (const [k, slot] of this.updates[i].slots.entries())
        found.values += differences(await slot.read(), slots[k]);
      if (one.mirror === "none") continue;
      for (let at = 0; at < p.length; at += 1) {
        const row = Math.floor(at / one.columns);
        const position = mirror.start + row * mirror.stride + (at % one.columns);
        inside.add(position);
        if (one.mask === "none" || maskValues[row] !== 0 || one.unselectedRows === "zero")
          sources.set(position, Math.min(Math.max(p[at], -maxFloat16), maxFloat16));
      }
    }
    found.values += differences(after.parameters, new Uint32Array(parameters.buffer));
    found.outside += differences(after.gradients, this.#before.gradients);
    found.outside += differences(after.masks, this.#before.masks);
    for (let k = 0; k < copies.length; k += 1) {
      const source = sources.get(k);
      const isRight =
        source === undefined
          ? gotCopies[k] === copies[k]
          : Number.isNaN(source) || isRounded(gotCopies[k], source);
      if (isRight) continue;
      if (inside.has(k)) found.copies += 1;
      else found.outside += 2;
    }
    return found;
  }

  /** Fills in gradients and masks. */
  #fill({ one, gradient, mask, maskValues }: Member, random: Random): void {
    const halves = new Uint16Array(this.#before.gradients.buffer);
    const floats = new Float32Array(this.#before.gradients.buffer);
    for (let row = 0; row < one.rows; row += 1) {
      this.#before.masks[mask.start + row * mask.stride] = maskValues[row];
      for (let k = 0; k < one.columns; k += 1) {
        const value = random.unit() * 2 - 1;
        const start = gradient.start + row * gradient.stride;
        if (one.gradient === "f16") halves[start + k] = encodeFloat16(value);
        else floats[start / 2 + k] = value;
      }
    }
  }

  #update({ one, parameter, gradient, mask, mirror, maskValues }: Member, slots: Values[]): Update {
    const { rows, columns } = one;
    const shape = [rows, columns];
    const { parameters, gradients, masks, copies } = this.#buffers;
    const unit = one.gradient === "f16" ? 1 : 2;
    return {
      parameter: this.#backend.wrap(parameters, { shape, offset: parameter.start }),
      gradient: this.#backend.wrap(gradients, {
        shape,
        offset: ((this.#isShared ? this.#before.parameters.length * 2 : 0) + gradient.start) / unit,
        rowStride: gradient.stride / unit,
        dtype: one.gradient === "f16" ? "f16" : "f32",
      }),
      mask:
        one.mask === "none"
          ? undefined
          : one.mask === "array"
            ? maskValues
            : this.#backend.wrap(masks, {
                shape: [rows],
                offset: mask.start,
                rowStride: mask.stride,
                dtype: "u32",
              }),
      unselectedRows: one.unselectedRows,
      copies:
        one.mirror === "none"
          ? []
          : [
              {
                target: this.#backend.wrap(copies, {
                  shape,
                  offset: mirror.start,
                  rowStride: mirror.stride,
                  dtype: "f16",
                }),
                activation: identity,
              },
            ],
      gradientActivation: undefined,
      clearsGradient: false,
      slots: slots.map((values, k) => this.#backend.tensor(shape, values, 2 + k)),
      scalars: one.scalars,
    };
  }

  /** Plain arrays around a dense step: gradients are decoded and unselected rows restored on the host. */
  async #expected(): Promise<{ p: Values; slots: Values[] }[]> {
    const floats = new Float32Array(this.#before.parameters.buffer);
    const halves = new Uint16Array(this.#before.gradients.buffer);
    const singles = new Float32Array(this.#before.gradients.buffer);
    const results: { p: Values; slots: Values[] }[] = [];
    const backend = this.#backend;
    const dense = this.#members.map((member, i): Update => {
      const { one, parameter, gradient, maskValues } = member;
      const { rows, columns } = one;
      const g = Float32Array.from({ length: rows * columns }, (_, at) => {
        const row = Math.floor(at / columns);
        if (one.mask !== "none" && maskValues[row] === 0) return 0;
        const position = gradient.start + row * gradient.stride;
        return one.gradient === "f16"
          ? decodeFloat16(halves[position + (at % columns)])
          : singles[position / 2 + (at % columns)];
      });
      const p = floats.subarray(parameter.start, parameter.start + rows * columns);
      return {
        parameter: backend.tensor([rows, columns], p),
        gradient: backend.tensor([rows, columns], g, 1),
        mask: undefined,
        unselectedRows: "keep",
        copies: [],
        gradientActivation: undefined,
        clearsGradient: false,
        slots: this.#slots[i].map((values, k) => backend.tensor([rows, columns], values, 2 + k)),
        scalars: one.scalars,
      };
    });
    backend.compile(this.#variant).run(dense, dense.length);
    for (const [i, { one, parameter, maskValues }] of this.#members.entries()) {
      const { rows, columns } = one;
      const readAndRestore = async (
        tensor: Tensor,
        old: ArrayLike<number>,
        keeps: boolean,
      ): Promise<Values> => {
        const values = await tensor.read();
        for (let at = 0; at < values.length; at += 1) {
          const isUnselected = one.mask !== "none" && maskValues[Math.floor(at / columns)] === 0;
          if (isUnselected && keeps) values[at] = old[at];
        }
        return values;
      };
      const old = floats.subarray(parameter.start, parameter.start + rows * columns);
      results.push({
        p: await readAndRestore(dense[i].parameter, old, one.unselectedRows !== "zero"),
        slots: await Promise.all(
          dense[i].slots.map((slot, k) =>
            readAndRestore(slot, this.#slots[i][k], one.unselectedRows === "keep"),
          ),
        ),
      });
      for (const tensor of [dense[i].parameter, dense[i].gradient, ...dense[i].slots])
        tensor.free();
    }
    return results;
  }
}

function differences(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  let count = Math.abs(got.length - expected.length);
  for (let i = 0; i < expected.length; i += 1) if (!Object.is(got[i], expected[i])) count += 1;
  return count;
}
