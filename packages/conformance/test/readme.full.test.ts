import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const readme = readFileSync(join(root, "README.md"), "utf8");
const guide = readFileSync(join(root, "../../apps/site/content/guide/adding-a-backend.md"), "utf8");
// Inside the package, so that its own name and that of core are found.
const directory = mkdtempSync(join(root, "node_modules", "readme-"));

afterAll(() => {
  rmSync(directory, { recursive: true });
});

/** The JavaScript snippets: of the README by the file name in their first line, of the guide by their titles. */
const snippets = new Map(
  [
    ...readme.matchAll(/```js\n\/\/ (\S+)\n([\s\S]*?)```/g),
    ...guide.matchAll(/```js \[(\S+)\]\n([\s\S]*?)```/g),
  ].map(([, name, text]) => [name, text]),
);
for (const [name, text] of snippets) {
  writeFileSync(join(directory, name), text);
}

function node(...args: readonly string[]): string {
  return execFileSync(process.execPath, args, { cwd: directory, encoding: "utf8" });
}

test("every snippet names its file", () => {
  expect(snippets.size).toBe(`${readme}${guide}`.match(/^```(js|ts)\b/gm)?.length);
});

test("the backend passes the suite, and the tests that it cannot run are skipped", () => {
  const lines = node("verify.mjs").trim().split("\n");
  expect(lines.length).toBeGreaterThan(10);
  for (const line of lines)
    expect(line).toMatch(
      /^skipped: |^ {2}the backend (has no (remap|copy)\(\)|is declared with reductions|does not declare takesLayouts)/,
    );
});

test("the suite runs in node:test, with a rule of one's own", () => {
  const output = node("--test", "--test-reporter=tap", "signum.test.mjs");
  expect(output).toMatch(/^# fail 0$/m);
  expect(output).toMatch(/^# skipped [1-9]/m);
  expect(output).toMatch(/ok \d+ - signum/);
});

test("the suite's test file for node:test is complete", () => {
  expect(node("--check", "my-backend.test.mjs")).toBe("");
});

test("the command checks the backend with the rule", () => {
  const cli = join(root, "dist", "cli.js");
  const output = node(
    cli,
    "verify",
    "./my-backend.mjs",
    "--rule",
    "./signum.mjs",
    "--cases",
    "9",
    "--kernels",
    "2",
    "--group",
    "bounds",
  );
  expect(output).toMatch(/passed +bounds +1\/1/);
  expect(output).toMatch(/^1 passed, 0 failed, 0 skipped$/m);
});
