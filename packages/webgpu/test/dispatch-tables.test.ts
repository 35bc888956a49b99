import { expect, test } from "vitest";
import { DispatchTables } from "../src/planning/dispatch/dispatch-tables.js";
import { recordingDevice } from "./recording-device.js";

/** As `hashOf` mixes: two tables of the same length with the same hash. */
function tablesOfOneHash(): readonly [Uint32Array, Uint32Array] {
  const prime = 0x01000193;
  const mix = (first: number): number => Math.imul(2 ^ first, prime);
  return [Uint32Array.of(1, 0), Uint32Array.of(3, (mix(1) ^ mix(3)) >>> 0)];
}

test("tables with the same hash are told apart", () => {
  const { device } = recordingDevice();
  const written: number[][] = [];
  device.queue.writeBuffer = (_, __, words) => written.push([...(words as Uint32Array)]);
  const tables = new DispatchTables(device, "test");
  const [a, b] = tablesOfOneHash();
  const ranges = tables.acquire([a, b, a]);
  expect(ranges[0]).toBe(ranges[2]);
  expect(ranges.map(({ offset }) => offset)).toEqual([0, 256, 0]);
  const [words] = written;
  expect([words.slice(0, 2), words.slice(64, 66)]).toEqual([[...a], [...b]]);
  // Later, too.
  tables.release([ranges[1]]);
  expect(tables.acquire([b])).not.toContain(ranges[0]);
});

test("a buffer is destroyed once none of its tables is used", () => {
  const { device, counts } = recordingDevice();
  const tables = new DispatchTables(device, "test");
  const [first, second] = tables.acquire([Uint32Array.of(1), Uint32Array.of(2)]);
  tables.acquire([Uint32Array.of(1)]);
  tables.release([first]);
  tables.release([second]);
  expect(counts.buffersDestroyed).toBe(0);
  tables.release([first]);
  expect(counts).toMatchObject({ buffersMade: 1, buffersDestroyed: 1 });
});
