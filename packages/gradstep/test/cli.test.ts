import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { slowTest } from "../../../testing/slow-test.js";

const cli = fileURLToPath(new URL("../dist/cli.js", import.meta.url));
const directory = mkdtempSync(join(tmpdir(), "gradstep-cli-"));

beforeAll(() => {
  if (!existsSync(cli)) throw new Error("Build first: the tests run dist/cli.js.");
});

afterAll(() => {
  rmSync(directory, { recursive: true });
});

interface Outcome {
  readonly status: number;
  readonly output: string;
  readonly errors: string;
}

function run(...args: string[]): Promise<Outcome> {
  const env = { ...process.env, INIT_CWD: directory, NO_COLOR: undefined, FORCE_COLOR: undefined };
  return new Promise((done) => {
    execFile(process.execPath, [cli, ...args], { env }, (error, output, errors) => {
      done({ status: error === null ? 0 : Number(error.code), output, errors });
    });
  });
}

slowTest("doctor checks the backends of this machine and writes a document", async () => {
  const backends = ["cpu-js", "wasm", "wasm-threads"].flatMap((name) => ["--backend", name]);
  const options = ["--cases", "1", "--no-speed", "--json", "doctor.json"];
  const { status, output, errors } = await run("doctor", ...backends, ...options);
  expect([status, errors]).toEqual([0, ""]);
  expect(output).toContain("Right: cpu-js, wasm, wasm-threads.");
  const document = JSON.parse(readFileSync(join(directory, "doctor.json"), "utf8")) as {
    version: string;
    machine: { runtime: string };
    backends: { name: string; status: string; differingBits: number; checks: unknown[] }[];
  };
  expect(document.machine.runtime).toBe(`Node ${process.versions.node}`);
  expect(document.backends.map(({ name, status: one }) => [name, one])).toEqual([
    ["cpu-js", "right"],
    ["wasm", "right"],
    ["wasm-threads", "right"],
  ]);
  const [js, wasm, threads] = document.backends;
  // JavaScript's temporaries are f64; WebAssembly has the bits of the f32 reference.
  expect(js.differingBits).toBeGreaterThan(0);
  expect([wasm.differingBits, threads.differingBits]).toEqual([0, 0]);
});

slowTest("without a command, it is one line and exit status 2", async () => {
  expect(await run()).toEqual({
    status: 2,
    output: "",
    errors: "Got no command; expected doctor (--help says more).\n",
  });
});

slowTest(
  "a document that cannot be written is exit status 2, before anything is checked",
  async () => {
    const got = async (json: string, expected: string): Promise<void> => {
      const errors = `Got --json "${json}"; expected ${expected}.\n`;
      expect(await run("doctor", "--json", json)).toEqual({ status: 2, output: "", errors });
    };
    await got("none/doctor.json", "a file in a folder that exists");
    await got("", "a file in a folder that exists");
    // A folder in which not even root may make a file.
    if (existsSync("/proc/self")) await got("/proc/doctor.json", "a file that may be written");
  },
);

test("--version prints the version of the package", async () => {
  const url = new URL("../package.json", import.meta.url);
  const { version } = JSON.parse(readFileSync(url, "utf8")) as { version: string };
  expect(await run("--version")).toEqual({ status: 0, output: `${version}\n`, errors: "" });
});

slowTest("--help names the commands, and those of doctor its options", async () => {
  expect((await run("--help")).output).toContain("doctor");
  expect((await run("doctor", "--help")).output).toContain("Usage: gradstep doctor [options]");
});
