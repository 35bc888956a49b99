import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { formatWithOptions } from "node:util";
import { afterAll, expect, test, vi } from "vitest";
import { slowTest } from "./slow-test.js";

/**
 * What is done with a block of code besides compiling it: it runs here, or on a page of a browser, or its types alone
 * are checked.
 */
type Use = "node" | "browser" | "types";

/** One block of code of a page. */
interface Snippet {
  readonly title: string;
  readonly file: string;
  readonly code: string;
  readonly use: Use;
}

const root = new URL("../", import.meta.url);

/**
 * The blocks of a page that are fenced as `js` or `ts`, maybe with their use: `ts browser`, `ts types`. Blocks with a
 * title in brackets are files of a project, and none of these.
 */
function snippetsOf(readme: string): Snippet[] {
  const text = readFileSync(new URL(readme, root), "utf8");
  return [...text.matchAll(/^```(?:js|ts)(?: (browser|types))?\n([\s\S]*?)^```/gm)].map(
    ({ 1: use = "node", 2: code = "", index }) => {
      const line = text.slice(0, index).split("\n").length;
      return {
        title: `${readme}, line ${line}`,
        file: `${readme.replace(/\W+/g, "-")}-${line}`,
        code,
        use: use as Use,
      };
    },
  );
}

/** Runs a module, and passes on what it logs. Rejects with what it throws. */
export type RunProgram = (path: string, onLog: (...values: unknown[]) => void) => Promise<void>;

/** Runs it in this process. */
const runHere: RunProgram = async (path, onLog) => {
  const log = vi.spyOn(console, "log").mockImplementation(onLog);
  try {
    await import(/* @vite-ignore */ path);
  } finally {
    log.mockRestore();
  }
};

/** Options of `testReadmes`. */
export interface ReadmeTests {
  /** How snippets of the use `browser` are run. Without it, their types alone are checked. */
  readonly runInBrowser?: RunProgram | undefined;
  /** Options of TypeScript in place of the strict ones. */
  readonly compilerOptions?: Readonly<Record<string, unknown>>;
}

/** The text with its numbers rounded to four decimals: a GPU may round a step's last digits either way. */
function rounded(text: string): string {
  return text.replace(/-?\d+\.\d+(?:e-?\d+)?/g, (number) => Number(number).toFixed(4));
}

const strict = {
  lib: ["es2022", "dom"],
  types: ["node"],
  noUncheckedIndexedAccess: true,
  noUnusedLocals: false,
};

/**
 * Declares the tests of READMEs: each snippet, copied into a file of its own, runs as JavaScript, and prints what the
 * comments behind its `console.log` lines say; `pnpm test:full` also compiles it as strict TypeScript.
 *
 * @param readmes paths from the root of the repository
 * @param testUrl `import.meta.url` of the test file: snippets are written to its folder, where they find its packages
 */
export function testReadmes(
  readmes: readonly string[],
  testUrl: string,
  { runInBrowser, compilerOptions = {} }: ReadmeTests = {},
): void {
  const folder = fileURLToPath(new URL("./snippets/", testUrl));
  const snippets = readmes.flatMap(snippetsOf);
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      extends: "../../../../tsconfig.base.json",
      compilerOptions: { ...strict, ...compilerOptions },
      include: ["*.ts"],
    }),
  );
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

  slowTest("all snippets are strict TypeScript", () => {
    const typescript = createRequire(testUrl).resolve("typescript/package.json");
    const compiler = join(dirname(typescript), "bin", "tsc");
    let errors = "";
    try {
      execFileSync(process.execPath, [compiler, "-p", folder, "--checkers", "1"], {
        encoding: "utf8",
      });
    } catch (error) {
      errors = (error as { stdout: string }).stdout;
    }
    expect(errors).toBe("");
  });

  const runs = snippets.flatMap((snippet) => {
    const run = { node: runHere, browser: runInBrowser, types: undefined }[snippet.use];
    return run === undefined ? [] : [{ ...snippet, run }];
  });
  test.each(runs)("$title runs, and prints what it says", async ({ file, code, run }) => {
    const printed: string[] = [];
    await run(join(folder, `${file}.mjs`), (...values) => {
      printed.push(formatWithOptions({ breakLength: Infinity }, ...values).replace(/\s+/g, " "));
    });
    const said = [...code.matchAll(/console\.log\([^]*?\);(?: \/\/ (about )?(.*))?$/gm)];
    const got = printed.map((text, i) => (said[i]?.[1] === undefined ? text : rounded(text)));
    const wanted = said.map(([, about, text = ""]) => (about === undefined ? text : rounded(text)));
    expect(got).toEqual(wanted);
  });
}
