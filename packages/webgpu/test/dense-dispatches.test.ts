import { describe, expect, test } from "vitest";
import { plan, type Part, type Place } from "../src/planning/dense-dispatches.js";

const limits = { bindingSize: 2 ** 27, alignment: 256 };
const scalars = new Float64Array(1);

function buffer(): GPUBuffer {
  return {} as GPUBuffer;
}

function part(places: readonly Place[], count: number, own = scalars): Part {
  return { places, count, scalars: own };
}

/** Every element that the dispatches update, by buffer and position, as often as it is updated. */
function touched(parts: readonly Part[], tight = limits): Map<GPUBuffer, number[]> {
  const found = new Map<GPUBuffer, number[]>();
  for (const { form, windows, table, tiles } of plan(parts, tight)) {
    expect(table[0]).toBe(tiles);
    for (const { offset, size } of windows) {
      expect(offset % tight.alignment).toBe(0);
      expect(size).toBeLessThanOrEqual(tight.bindingSize);
    }
    const arrays = parts[0].places.length;
    for (let tile = 0; tile < tiles; tile += 1) {
      const entry = table[1 + tile];
      const [first, count] = table.subarray(entry, entry + 2);
      for (let i = (tile - first) * 256; i < Math.min(count, (tile - first + 1) * 256); i += 1) {
        for (let k = 0; k < arrays; k += 1) {
          const home = form.gradients === "joined" && k > 0 ? k - 1 : k;
          const { buffer: one, offset, size } = windows[home];
          const at = (table[entry + 3 + k] + i) * form.width;
          expect((at + form.width) * 4).toBeLessThanOrEqual(size);
          const list = found.get(one) ?? [];
          found.set(one, list);
          for (let j = 0; j < form.width; j += 1) list.push(offset / 4 + at + j);
        }
      }
    }
  }
  return found;
}

function expected(parts: readonly Part[]): Map<GPUBuffer, number[]> {
  const found = new Map<GPUBuffer, number[]>();
  for (const { places, count } of parts) {
    for (const { buffer: one, start } of places) {
      const list = found.get(one) ?? [];
      found.set(one, list);
      for (let i = 0; i < count; i += 1) list.push(start + i);
    }
  }
  return found;
}

/** Whether each value of each array is updated just once, and nothing else is. */
function isExact(parts: readonly Part[], tight = limits): boolean {
  const got = touched(parts, tight);
  const sorted = (list: readonly number[] = []): string =>
    [...list].sort((a, b) => a - b).join(" ");
  return [...expected(parts)].every(([one, list]) => sorted(got.get(one)) === sorted(list));
}

describe("plan", () => {
  test("neighbours in the same buffers are one range of one dispatch", () => {
    const [p, g, m] = [buffer(), buffer(), buffer()];
    const parts = Array.from({ length: 1000 }, (_, i) =>
      part(
        [p, g, m].map((one) => ({ buffer: one, start: i * 64 })),
        64,
      ),
    );
    const [only, ...more] = plan(parts, limits);
    expect(more).toEqual([]);
    expect(only.tiles).toBe(63);
    expect(only.table.length).toBe(1 + 63 + 6);
  });

  test("a length that is no multiple of four has its rest done one by one", () => {
    const places = [buffer(), buffer()].map((one) => ({ buffer: one, start: 0 }));
    const forms = plan([part(places, 10)], limits).map(({ form }) => form.width);
    expect(forms.sort((a, b) => a - b)).toEqual([1, 4]);
    expect(isExact([part(places, 10)])).toBe(true);
    expect(isExact([part(places, 3)])).toBe(true);
    expect(isExact([part(places, 4)])).toBe(true);
  });

  test("gradients in the parameters' buffer share its binding where they can", () => {
    const one = buffer();
    const near = part(
      [
        { buffer: one, start: 3 },
        { buffer: one, start: 20 },
      ],
      17,
    );
    expect(plan([near], limits).map(({ form }) => form.gradients)).toEqual(["joined"]);
    expect(isExact([near])).toBe(true);
    const far = part(
      [
        { buffer: one, start: 0 },
        { buffer: one, start: 4096 },
      ],
      1024,
    );
    const tight = { bindingSize: 8192, alignment: 256 };
    expect(plan([far], tight).map(({ form }) => form.gradients)).toEqual(["beside"]);
    expect(isExact([far], tight)).toBe(true);
    // Neither: more than one binding, and meeting within the alignment.
    const touching = part(
      [
        { buffer: one, start: 1 },
        { buffer: one, start: 1501 },
      ],
      1500,
    );
    expect(isExact([touching], tight)).toBe(true);
  });

  test.each([-1, 0, 1])("at the size of a binding %i values", (more) => {
    const tight = { bindingSize: 4096, alignment: 256 };
    for (const times of [1, 4]) {
      const places = [buffer(), buffer(), buffer()].map((one, i) => ({ buffer: one, start: i }));
      expect(isExact([part(places, 1024 * times + more)], tight)).toBe(true);
    }
  });

  test("more groups than one dispatch can tell apart", () => {
    const [p, g] = [buffer(), buffer()];
    const parts = Array.from({ length: 40 }, (_, i) =>
      part(
        [p, g].map((one) => ({ buffer: one, start: i * 64 })),
        64,
        new Float64Array(1),
      ),
    );
    expect(plan(parts, limits).map((dispatch) => dispatch.scalars.length)).toEqual([16, 16, 8]);
    expect(isExact(parts)).toBe(true);
  });

  test("random layouts: exactly what was asked for, once", () => {
    let state = 1;
    const random = (n: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * n);
    };
    for (let round = 0; round < 200; round += 1) {
      const buffers = [buffer(), buffer(), buffer()];
      const joined = random(2) === 0;
      let at = 0;
      const parts = Array.from({ length: 1 + random(6) }, () => {
        const count = 1 + random(300);
        const starts = joined ? [at, at + count + random(9), at] : [at, at, at];
        at += count * (joined ? 2 : 1) + 9 + random(80);
        const own = joined ? [buffers[0], buffers[0], buffers[2]] : buffers;
        return part(
          starts.map((start, k) => ({ buffer: own[k], start })),
          count,
        );
      });
      expect(isExact(parts, { bindingSize: 1024 + 256 * random(8), alignment: 256 })).toBe(true);
    }
  });
});
