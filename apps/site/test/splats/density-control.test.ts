import { webgpu } from "@gradstep/webgpu/node";
import { expect, test } from "vitest";
import { chooseRows, divideRows } from "../../src/splats/cpu/density-control.js";
import { readBuffers } from "../../src/splats/gpu/buffers.js";
import { DensityControl } from "../../src/splats/gpu/density-control.js";
import { History } from "../../src/splats/gpu/history.js";
import { Renderer } from "../../src/splats/gpu/renderer.js";
import { SplatBuffers, statisticsUnit } from "../../src/splats/gpu/splat-buffers.js";
import { rowLength } from "../../src/splats/splat-rows.js";
import { skipsGpu } from "./device.js";
import { randomPicture, randomSplats } from "./random-splats.js";

const picture = randomPicture(32, 32);
const count = 40;

/** Errors that differ by more than a bucket; some splats color nothing, are transparent, or are too narrow to split. */
function state(mostCoverage = 20) {
  const activated = randomSplats(count, picture);
  const coverage = new Float64Array(count).fill(mostCoverage);
  const error = new Float64Array(count).map((_, row) => 0.01 * 1.3 ** ((row * 17) % count));
  for (const row of [3, 17, 18]) coverage[row] = 0.5;
  activated[8 * rowLength + 7] = 0.01;
  activated.fill(0.3, 9 * rowLength + 2, 9 * rowLength + 4);
  return { activated, statistics: { coverage, error } };
}

test("the splats with the largest errors are split, as many as there is space for", () => {
  const { activated, statistics } = state();
  for (const [capacity, expected] of [
    [100, 14],
    [45, 9],
    [36, 0],
  ]) {
    const round = chooseRows(activated, count, statistics, capacity);
    expect(round.pruned).toBe(4);
    expect(round.split).toBe(expected);
    expect(round.sources.length).toBe(36 + expected);
    const rows = new Set(round.sources);
    expect([3, 17, 18, 8].some((row) => rows.has(row))).toBe(false);
    const split = new Set(round.sources.filter((_, i) => round.halves[i] > 0));
    const least = Math.min(...[...split].map((row) => statistics.error[row]));
    const others = [...rows].filter((row) => !split.has(row) && row !== 9);
    expect(Math.max(...others.map((row) => statistics.error[row]))).toBeLessThan(least);
    expect(split.has(9)).toBe(false);
  }
});

test("splats of which none colors anything stay as they are", () => {
  const { activated, statistics } = state(1);
  const round = chooseRows(activated, count, statistics, 100);
  expect(round.sources).toEqual(Uint32Array.from({ length: count }, (_, row) => row));
  expect(round.halves).toEqual(new Uint32Array(count));
  expect(round).toMatchObject({ pruned: 0, split: 0 });
});

test("halves of a splat are on its longer axis, on both sides of its center", () => {
  const [x, y, angle] = [10, 20, 0.3];
  // The length of the rotation does not matter.
  const rotation = [2 * Math.cos(angle), 2 * Math.sin(angle)];
  const row = [x, y, Math.log(1), Math.log(4), 0, 0, 0, 0, ...rotation, 0, 0];
  const rows = Float32Array.of(...row, ...row, ...row);
  divideRows(rows, Uint32Array.of(0, 1, 2));
  const [unchanged, one, other] = [0, 1, 2].map((k) => rows.subarray(12 * k, 12 * k + 12));
  expect(unchanged).toEqual(Float32Array.from(row));
  expect((one[0] + other[0]) / 2).toBeCloseTo(x, 4);
  expect((one[1] + other[1]) / 2).toBeCloseTo(y, 4);
  expect(Math.hypot(one[0] - other[0], one[1] - other[1])).toBeCloseTo(2 * 0.6 * 4, 4);
  // The second axis is the longer one.
  expect((one[0] - x) / (one[1] - y)).toBeCloseTo(-Math.tan(angle), 4);
  for (const half of [one, other]) {
    expect(Math.exp(half[3])).toBeCloseTo(4 * 0.65, 4);
    expect(half[2]).toBe(0);
  }
});

test.skipIf(skipsGpu).each([
  [100, 20],
  [45, 20],
  [40, 20],
  [100, 1],
])(
  "the GPU chooses and divides the same rows, of at most %i, which color %i pixels",
  async (capacity, mostCoverage) => {
    const { activated, statistics } = state(mostCoverage);
    const round = chooseRows(activated, count, statistics, capacity);
    const backend = await webgpu();
    const { device } = backend;
    const splats = new SplatBuffers(device, capacity, activated);
    const renderer = new Renderer(splats, picture);
    const history = new History(splats, renderer, picture, 10);
    const control = new DensityControl(splats, history);
    const words = new Uint32Array(2 * count);
    for (let row = 0; row < count; row += 1) {
      words[2 * row] = statistics.coverage[row] / statisticsUnit;
      words[2 * row + 1] = statistics.error[row] / statisticsUnit;
    }
    device.queue.writeBuffer(splats.activated, 0, activated);
    device.queue.writeBuffer(splats.statistics, 0, words);
    const parameters = new Float32Array(round.sources.length * rowLength);
    round.sources.forEach((source, row) => {
      const from = activated.subarray(source * rowLength, (source + 1) * rowLength);
      parameters.set(from, row * rowLength);
    });
    device.queue.writeBuffer(splats.parameters, 0, parameters);
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    control.choose(pass);
    control.divide(pass);
    pass.end();
    device.queue.submit([encoder.finish()]);
    const [sources, halves, newCount, divided, record] = await readBuffers(device, [
      control.sources,
      control.halves,
      splats.count,
      splats.parameters,
      history.buffer,
    ]);
    backend.dispose();

    const length = round.sources.length;
    expect(new Uint32Array(newCount)[0]).toBe(length);
    expect(new Uint32Array(sources).slice(0, length)).toEqual(round.sources);
    expect(new Uint32Array(halves).slice(0, length)).toEqual(round.halves);
    divideRows(parameters, round.halves);
    const own = new Float32Array(divided);
    parameters.forEach((value, i) => expect(own[i]).toBeCloseTo(value, 3));
    expect(history.decode(record)).toMatchObject({
      rounds: 1,
      pruned: round.pruned,
      split: round.split,
    });
  },
);
