import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { afterAll, expect, test, vi } from "vitest";

const readme = readFileSync(new URL("../../../README.md", import.meta.url), "utf8");
const snippets = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code);

// Beside this file, so that packages are found; one module a snippet, as a reader would paste it.
const folder = new URL("./snippets/", import.meta.url);
mkdirSync(folder, { recursive: true });
afterAll(() => {
  rmSync(folder, { recursive: true });
});

test("The README has snippets", () => {
  expect(snippets.length).toBeGreaterThanOrEqual(5);
});

test.each(snippets.map((code, i) => [i, code] as const))(
  "Snippet %i of the README runs, and prints what its comments say",
  async (i, code) => {
    const file = new URL(`${i}.ts`, folder);
    writeFileSync(file, code);
    const printed = vi.spyOn(console, "log").mockImplementation(() => undefined);
    await import(file.href);
    const expected = [...code.matchAll(/console\.log\((.*)\); \/\/ Float32Array \[(.*)\]/g)];
    expect(printed.mock.calls.length).toBe(expected.length);
    expected.forEach(([, , values], call) => {
      const got = printed.mock.calls[call][0] as Float32Array;
      const wanted = values.split(",").map(Number);
      expect(got).toHaveLength(wanted.length);
      wanted.forEach((value, index) => {
        expect(got[index]).toBeCloseTo(value, 2);
      });
    });
    printed.mockRestore();
  },
);
