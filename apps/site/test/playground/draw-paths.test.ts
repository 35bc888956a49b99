import { expect, test } from "vitest";
import { drawPaths } from "../../src/playground/draw-paths.js";
import { MapProjection } from "../../src/playground/map-projection.js";

interface Text {
  readonly text: string;
  readonly left: number;
  readonly top: number;
}

/** A context that remembers what is written on it, with characters of 7 pixels, and draws nothing. */
function newContext() {
  const texts: Text[] = [];
  const known: Record<string, unknown> = {
    measureText: (text: string) => ({ width: 7 * text.length }),
    fillText: (text: string, left: number, top: number) => void texts.push({ text, left, top }),
  };
  const context = new Proxy(known, {
    get: (_, name: string) => known[name] ?? (() => {}),
    set: () => true,
  }) as unknown as CanvasRenderingContext2D;
  return { context, texts };
}

/** The labels of paths that end at these points of a map from 0 to 1, 300 by 200 pixels. */
function labelsAt(ends: readonly (readonly [x: number, y: number])[]): readonly Text[] {
  const { context, texts } = newContext();
  const projection = new MapProjection({ xMin: 0, xMax: 1, yMin: 0, yMax: 1 }, 300, 200);
  const paths = ends.map(([x, y], i) => {
    const path = { points: Float32Array.of(0.5, 0.5, x, y) };
    return { path, label: `path ${i}`, color: "#000", dash: [] };
  });
  drawPaths(context, paths, 1, projection, "#fff", undefined);
  return texts.sort((a, b) => a.text.localeCompare(b.text));
}

test.each([
  ["at the bottom", [0.5, 0]],
  ["at the top", [0.5, 1]],
  ["in the right corner", [1, 0]],
] as const)("the labels of paths that end %s are all in the map, one below the other", (_, end) => {
  const labels = labelsAt([end, end, end, end]);
  expect(labels).toHaveLength(4);
  const tops = labels.map(({ top }) => top).sort((a, b) => a - b);
  expect(tops[0]).toBeGreaterThanOrEqual(10);
  expect(tops[3]).toBeLessThanOrEqual(190);
  for (let i = 1; i < 4; i += 1) expect(tops[i] - tops[i - 1]).toBe(15);
  for (const { left } of labels) {
    expect(left).toBeGreaterThanOrEqual(4);
    expect(left + 7 * 6).toBeLessThanOrEqual(296);
  }
});

test("labels that are apart stay beside the ends of their paths", () => {
  const labels = labelsAt([
    [0.1, 0.5],
    [0.6, 0.5],
    [0.6, 0.2],
  ]);
  expect(labels.map(({ left, top }) => [Math.round(left), Math.round(top)])).toEqual([
    [39, 100],
    [189, 100],
    [189, 160],
  ]);
});
