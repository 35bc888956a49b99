import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { slowTest } from "../../../testing/slow-test.js";

/**
 * What `npm start` runs, in a copy of the repository that holds no more than this: nothing is installed or built, and
 * nothing could be.
 */
const copied = [
  "package.json",
  "scripts",
  "apps/digits/src/optimizers.mjs",
  "apps/shared/src/command-line.mjs",
  "apps/train/src/options.mjs",
];

let folder = "";
beforeAll(() => {
  const root = fileURLToPath(new URL("../../..", import.meta.url));
  folder = mkdtempSync(join(tmpdir(), "start-"));
  for (const path of copied) cpSync(join(root, path), join(folder, path), { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** As npm runs it, with the options that npm took for itself in the environment. */
async function start(args: readonly string[], taken: Record<string, string> = {}): Promise<Result> {
  const env = {
    PATH: process.env.PATH,
    npm_config_user_agent: "npm/11.0.0 node/v20.19.0",
    npm_lifecycle_event: "start",
    ...taken,
  };
  const command = ["scripts/start.mjs", "@gradstep/train", "apps/train/dist/main.js", ...args];
  try {
    const outputs = await promisify(execFile)(process.execPath, command, { cwd: folder, env });
    return { code: 0, ...outputs };
  } catch (error) {
    return error as Result;
  }
}

describe("npm start, before anything is installed", () => {
  test.each(["--help", "-h"])("%s prints the options", async (option) => {
    const { code, stdout, stderr } = await start([option]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^Trains a network/);
    expect(stdout).toContain("--epochs COUNT");
  });

  test.each([
    [["--epochs", "x"], "Got --epochs x; expected a whole number from 1 to 1000.\n"],
    [["--", "--epochs", "x"], "Got --epochs x; expected a whole number from 1 to 1000.\n"],
    [["--bogus"], expect.stringMatching(/^Got the unknown option --bogus; expected one of --opt/)],
  ])("%j is refused in one line", async (args, stderr) => {
    expect(await start(args)).toMatchObject({ code: 2, stdout: "", stderr });
  });

  test.each([
    [["1"], { npm_config_epochs: "true" }, "--epochs", "--epochs 1"],
    [[], { npm_config_epochs: "1" }, "--epochs", "--epochs 1"],
    [[], { npm_config_json: "true" }, "--json", "--json"],
    [["32"], { npm_config_batch_size: "true" }, "--batch-size", "--batch-size 32"],
    [["3"], { npm_config_seed: "true", npm_config_compare: "true" }, "--seed and --compare", "…"],
  ])("says where the -- was forgotten: %j, %j", async (args, taken, names, example) => {
    expect(await start(args, taken)).toMatchObject({
      code: 2,
      stdout: "",
      stderr: `npm took ${names} for itself. Put -- before the options: npm start -- ${example}\n`,
    });
  });
});

/** The state of the build in the folder. */
async function state(): Promise<{ sources: string; outputs: string }> {
  const program = `import { outputState, sourceState } from "./scripts/build-state.mjs";
console.log(JSON.stringify({ sources: sourceState(), outputs: outputState() }));`;
  const command = ["--input-type=module", "--eval", program];
  const { stdout } = await promisify(execFile)(process.execPath, command, { cwd: folder });
  return JSON.parse(stdout) as { sources: string; outputs: string };
}

slowTest(
  "the state of a build changes with sources, built files and the installation, not with tests",
  async () => {
    const write = (path: string): void => {
      cpSync(join(folder, "package.json"), join(folder, path));
    };
    for (const path of ["packages/x/src/a.ts", "packages/x/dist/a.js", "packages/x/test/a.ts"])
      write(path);
    const before = await state();
    expect(await state()).toEqual(before);

    write("packages/x/test/b.ts");
    write("packages/x/src/generated/b.ts");
    expect(await state()).toEqual(before);

    utimesSync(join(folder, "packages/x/src/a.ts"), 1, 1);
    const changed = await state();
    expect(changed.sources).not.toBe(before.sources);
    expect(changed.outputs).toBe(before.outputs);

    rmSync(join(folder, "packages/x/dist/a.js"));
    const removed = await state();
    expect(removed.outputs).not.toBe(before.outputs);

    cpSync(join(folder, "package.json"), join(folder, "node_modules/.modules.yaml"));
    expect((await state()).outputs).not.toBe(removed.outputs);
    writeFileSync(join(folder, "pnpm-lock.yaml"), "");
    expect((await state()).sources).not.toBe(changed.sources);
  },
);
