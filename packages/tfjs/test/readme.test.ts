import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test, vi } from "vitest";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const snippets = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code);

// Inside the package, so that imports are found; one module per snippet, as a reader would paste it.
const folder = fileURLToPath(new URL("./snippets/", import.meta.url));
const fileOf = (index: number, extension: string): string =>
  join(folder, `snippet-${index}.${extension}`);
beforeAll(() => {
  mkdirSync(folder, { recursive: true });
  snippets.forEach((code, i) => {
    const text = code.replaceAll('"model.bin"', JSON.stringify(join(folder, "model.bin")));
    for (const extension of ["mjs", "ts"]) writeFileSync(fileOf(i, extension), text);
  });
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

test("the README has snippets", () => {
  expect(snippets).toHaveLength(4);
});

test.each(snippets.map((_, i) => i))(
  "snippet %i of the README runs as JavaScript",
  async (index) => {
    const log = vi.spyOn(console, "log").mockImplementation(() => {});
    await expect(import(fileOf(index, "mjs"))).resolves.toBeDefined();
    log.mockRestore();
  },
);

test("the snippets are valid in strict TypeScript with noUncheckedIndexedAccess", () => {
  const options = {
    extends: "../../../../tsconfig.base.json",
    compilerOptions: {
      strict: true,
      noUncheckedIndexedAccess: true,
      noUnusedLocals: false,
      noEmit: true,
      lib: ["es2022", "dom"],
      types: ["node"],
    },
    include: ["*.ts"],
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(options));
  const tsc = join(
    dirname(createRequire(import.meta.url).resolve("typescript/package.json")),
    "bin/tsc",
  );
  const check = (): string =>
    execFileSync(process.execPath, [tsc, "-p", folder], { encoding: "utf8", stdio: "pipe" });
  let errors = "";
  try {
    check();
  } catch (error) {
    errors = String((error as { stdout?: unknown }).stdout);
  }
  expect(errors).toBe("");
});
