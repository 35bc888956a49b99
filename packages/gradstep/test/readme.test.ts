import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { afterAll, expect, test, vi } from "vitest";

const readmes = [
  "README.md",
  ...["core", "cpu-js", "wasm", "gradstep"].map((name) => `packages/${name}/README.md`),
];
const snippets = readmes.flatMap((readme) => {
  const text = readFileSync(new URL(`../../../${readme}`, import.meta.url), "utf8");
  return [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code], i) => ({
    name: `${readme}, snippet ${i + 1}`,
    code,
  }));
});

// Beside this file, so that packages are found; one module a snippet, as a reader would paste it.
const folder = new URL("./snippets/", import.meta.url);
mkdirSync(folder, { recursive: true });
afterAll(() => {
  rmSync(folder, { recursive: true });
});

test("Every README has snippets", () => {
  for (const readme of readmes)
    expect(snippets.some(({ name }) => name.startsWith(readme))).toBe(true);
});

test.each(snippets)("$name runs, and prints what its comments say", async ({ name, code }) => {
  const file = new URL(`${name.replace(/\W+/g, "-")}.ts`, folder);
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
      expect(got[index]).toBeCloseTo(value, 6);
    });
  });
  printed.mockRestore();
});
