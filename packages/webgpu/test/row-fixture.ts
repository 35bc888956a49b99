import type { UnselectedRows, Tensor, Update, Values, Variant } from "@gradstep/core";
import type { WebGpu } from "@gradstep/webgpu";
import { bufferOf, wordsOf } from "./buffers.js";
import { decodeHalf, encodeHalf, isRounded } from "./float16.js";
import type { Random } from "./random.js";

/** How a tensor of a world is stepped. */
export interface RowCase {
  readonly rows: number;
  readonly columns: number;
  readonly gradient: "plain" | "strided" | "f16";
  readonly mask: "none" | "array" | "tensor" | "strided";
  /** How probable it is that a row is stepped. */
  readonly density: number;
  readonly others: UnselectedRows;
  readonly copy: "none" | "flat" | "padded";
  readonly scalars: Float64Array;
}

/** A place for rows of values in a buffer of units (words, or halves of them). */
interface Lines {
  readonly at: number;
  readonly step: number;
}

interface Member {
  readonly one: RowCase;
  readonly parameter: Lines;
  readonly gradient: Lines;
  readonly mask: Lines;
  readonly copy: Lines;
  readonly maskValues: Uint32Array<ArrayBuffer>;
}

/** The buffers of a world, as the host sees them. */
interface Contents {
  parameters: Uint32Array<ArrayBuffer>;
  gradients: Uint32Array<ArrayBuffer>;
  masks: Uint32Array<ArrayBuffer>;
  copies: Uint32Array<ArrayBuffer>;
}

const greatestHalf = 65504;

const names = ["parameters", "gradients", "masks", "copies"] as const;

/** What was wrong after a step. */
export interface Findings {
  /** Values and states that are not bit for bit those of plain arrays around dense steps. */
  values: number;
  /** f16 that are not the parameter, rounded either way (WGSL leaves that open), or the greatest where it is beyond; NaN is anything. */
  copies: number;
  /** Bytes that changed outside of every tensor. */
  outside: number;
}

/**
 * Tensors of the caller's in four buffers, in random places: parameters, gradients (f32 and f16 side by side), masks
 * and packed copies. What a step should do to them is computed with plain arrays around dense steps.
 */
export class RowWorld {
  readonly #backend: WebGpu;
  readonly #variant: Variant;
  readonly #members: Member[] = [];
  readonly #before: Contents;
  readonly #buffers: Record<keyof Contents, GPUBuffer>;
  readonly #slots: Values[][];
  readonly #isJoined: boolean;
  readonly updates: Update[];

  /** @param isJoined whether gradients are in the parameters' buffer, behind them */
  constructor(
    backend: WebGpu,
    variant: Variant,
    random: Random,
    cases: readonly RowCase[],
    isJoined = false,
  ) {
    this.#isJoined = isJoined;
    this.#backend = backend;
    this.#variant = variant;
    const ends = { parameters: 0, gradients: 0, masks: 0, copies: 0 };
    const gap = (): number => random.below(9);
    for (const one of cases) {
      const { rows, columns } = one;
      const take = (name: keyof Contents, step: number, length: number, even: boolean): Lines => {
        let at = ends[name] + gap();
        if (even && at % 2 === 1) at += 1;
        ends[name] = at + (rows - 1) * step + length;
        return { at, step };
      };
      const isHalf = one.gradient === "f16";
      // In units of two bytes; an f32 begins at an even one.
      const unit = isHalf ? 1 : 2;
      const gradientStep = (columns + (one.gradient === "plain" ? 0 : random.below(6))) * unit;
      const copyStep =
        one.copy === "padded" ? columns + (columns % 2) + 2 * random.below(3) : columns;
      this.#members.push({
        one,
        parameter: take("parameters", columns, columns, false),
        gradient: take("gradients", gradientStep, columns * unit, !isHalf),
        mask: take("masks", one.mask === "strided" ? 1 + random.below(4) : 1, 1, false),
        copy: take("copies", copyStep, columns, true),
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
    if (isJoined) {
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

  /** Compares everything with what should have become of it after one step. */
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
    if (this.#isJoined) {
      const { length } = this.#before.parameters;
      after.gradients = after.parameters.slice(length);
      after.parameters = after.parameters.slice(0, length);
    }
    const parameters = new Float32Array(this.#before.parameters.buffer.slice(0));
    const copies = new Uint16Array(this.#before.copies.buffer.slice(0));
    const gotCopies = new Uint16Array(after.copies.buffer);
    /** What a copy is made of, by position. */
    const sources = new Map<number, number>();
    const inside = new Set<number>();
    for (const [i, { one, parameter, copy, maskValues }] of this.#members.entries()) {
      const { p, slots } = expected[i];
      parameters.set(p, parameter.at);
      for (const [k, slot] of this.updates[i].slots.entries())
        found.values += differences(await slot.read(), slots[k]);
      if (one.copy === "none") continue;
      for (let at = 0; at < p.length; at += 1) {
        const row = Math.floor(at / one.columns);
        const place = copy.at + row * copy.step + (at % one.columns);
        inside.add(place);
        if (one.mask === "none" || maskValues[row] !== 0 || one.others === "zero")
          sources.set(place, Math.min(Math.max(p[at], -greatestHalf), greatestHalf));
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

  /** Puts gradients and masks into their places. */
  #fill({ one, gradient, mask, maskValues }: Member, random: Random): void {
    const halves = new Uint16Array(this.#before.gradients.buffer);
    const floats = new Float32Array(this.#before.gradients.buffer);
    for (let row = 0; row < one.rows; row += 1) {
      this.#before.masks[mask.at + row * mask.step] = maskValues[row];
      for (let k = 0; k < one.columns; k += 1) {
        const value = random.unit() * 2 - 1;
        const at = gradient.at + row * gradient.step;
        if (one.gradient === "f16") halves[at + k] = encodeHalf(value);
        else floats[at / 2 + k] = value;
      }
    }
  }

  #update({ one, parameter, gradient, mask, copy, maskValues }: Member, slots: Values[]): Update {
    const { rows, columns } = one;
    const shape = [rows, columns];
    const { parameters, gradients, masks, copies } = this.#buffers;
    const unit = one.gradient === "f16" ? 1 : 2;
    return {
      parameter: this.#backend.wrap(parameters, { shape, offset: parameter.at }),
      gradient: this.#backend.wrap(gradients, {
        shape,
        offset: ((this.#isJoined ? this.#before.parameters.length * 2 : 0) + gradient.at) / unit,
        rowStride: gradient.step / unit,
        dtype: one.gradient === "f16" ? "f16" : "f32",
      }),
      mask:
        one.mask === "none"
          ? undefined
          : one.mask === "array"
            ? maskValues
            : this.#backend.wrap(masks, {
                shape: [rows],
                offset: mask.at,
                rowStride: mask.step,
                dtype: "u32",
              }),
      unselectedRows: one.others,
      mirror:
        one.copy === "none"
          ? undefined
          : this.#backend.wrap(copies, {
              shape,
              offset: copy.at,
              rowStride: copy.step,
              dtype: "f16",
            }),
      slots: slots.map((values, k) => this.#backend.tensor(shape, values, 2 + k)),
      scalars: one.scalars,
    };
  }

  /** Plain arrays around a dense step: gradients decoded and zeroed here, rows put back here. */
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
        const place = gradient.at + row * gradient.step;
        return one.gradient === "f16"
          ? decodeHalf(halves[place + (at % columns)])
          : singles[place / 2 + (at % columns)];
      });
      const p = floats.subarray(parameter.at, parameter.at + rows * columns);
      return {
        parameter: backend.tensor([rows, columns], p),
        gradient: backend.tensor([rows, columns], g, 1),
        mask: undefined,
        unselectedRows: "keep",
        mirror: undefined,
        slots: this.#slots[i].map((values, k) => backend.tensor([rows, columns], values, 2 + k)),
        scalars: one.scalars,
      };
    });
    backend.compile(this.#variant).run(dense, dense.length);
    for (const [i, { one, parameter, maskValues }] of this.#members.entries()) {
      const { rows, columns } = one;
      const put = async (
        tensor: Tensor,
        old: ArrayLike<number>,
        keeps: boolean,
      ): Promise<Values> => {
        const values = await tensor.read();
        for (let at = 0; at < values.length; at += 1) {
          const isOther = one.mask !== "none" && maskValues[Math.floor(at / columns)] === 0;
          if (isOther && keeps) values[at] = old[at];
        }
        return values;
      };
      const old = floats.subarray(parameter.at, parameter.at + rows * columns);
      results.push({
        p: await put(dense[i].parameter, old, one.others !== "zero"),
        slots: await Promise.all(
          dense[i].slots.map((slot, k) => put(slot, this.#slots[i][k], one.others === "keep")),
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
