import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { formatWithOptions } from "node:util";
import { afterAll, expect, test, vi } from "vitest";

/** One block of code of a README. */
interface Snippet {
  readonly title: string;
  readonly file: string;
  readonly code: string;
}

const root = new URL("../", import.meta.url);

/** The blocks of a README that are fenced as `js` or `ts`. */
function snippetsOf(readme: string): Snippet[] {
  const text = readFileSync(new URL(readme, root), "utf8");
  return [...text.matchAll(/^```(?:js|ts)\n([\s\S]*?)^```/gm)].map(({ 1: code = "", index }) => {
    const line = text.slice(0, index).split("\n").length;
    return {
      title: `${readme}, line ${line}`,
      file: `${readme.replace(/\W+/g, "-")}-${line}`,
      code,
    };
  });
}

/** The text with its numbers rounded to four decimals: a GPU may round a step's last digits either way. */
function rounded(text: string): string {
  return text.replace(/-?\d+\.\d+(?:e-?\d+)?/g, (number) => Number(number).toFixed(4));
}

const strict = {
  extends: "../../../../tsconfig.base.json",
  compilerOptions: {
    lib: ["es2022", "dom"],
    types: ["node"],
    noUncheckedIndexedAccess: true,
    noUnusedLocals: false,
  },
  include: ["*.ts"],
};

/**
 * Declares the tests of READMEs: each snippet, copied into a file of its own, compiles as strict TypeScript, runs as
 * JavaScript, and prints what the comments behind its `console.log` lines say.
 *
 * @param readmes paths from the root of the repository
 * @param testUrl `import.meta.url` of the test file: snippets are written to its folder, where they find its packages
 */
export function testReadmes(readmes: readonly string[], testUrl: string): void {
  const folder = fileURLToPath(new URL("./snippets/", testUrl));
  const snippets = readmes.flatMap(snippetsOf);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(strict));
  for (const { file, code } of snippets) {
    writeFileSync(join(folder, `${file}.ts`), `${code}\nexport {};\n`);
    writeFileSync(join(folder, `${file}.mjs`), code);
  }
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  test.each(readmes)("%s has snippets", (readme) => {
    expect(snippets.filter(({ title }) => title.startsWith(`${readme}, `))).not.toEqual([]);
  });

  test("all snippets are strict TypeScript", () => {
    const typescript = createRequire(testUrl).resolve("typescript/package.json");
    const compiler = join(dirname(typescript), "bin", "tsc");
    let errors = "";
    try {
      execFileSync(process.execPath, [compiler, "-p", folder], { encoding: "utf8" });
    } catch (error) {
      errors = (error as { stdout: string }).stdout;
    }
    expect(errors).toBe("");
  });

  test.each(snippets)("$title runs, and prints what it says", async ({ file, code }) => {
    const printed: string[] = [];
    const log = vi.spyOn(console, "log").mockImplementation((...values: unknown[]) => {
      printed.push(formatWithOptions({ breakLength: Infinity }, ...values).replace(/\s+/g, " "));
    });
    try {
      await import(/* @vite-ignore */ join(folder, `${file}.mjs`));
    } finally {
      log.mockRestore();
    }
    const said = [...code.matchAll(/console\.log\(.*\);(?: \/\/ (about )?(.*))?/g)];
    const got = printed.map((text, i) => (said[i]?.[1] === undefined ? text : rounded(text)));
    const wanted = said.map(([, about, text = ""]) => (about === undefined ? text : rounded(text)));
    expect(got).toEqual(wanted);
  });
}
