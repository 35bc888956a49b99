import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Backend } from "@gradstep/core";
import { oracle, reference } from "@gradstep/core/reference";
import { describe, expect, test } from "vitest";
import { slowTest } from "../../../testing/slow-test.js";
import { parseGolden } from "../src/golden/golden-file.js";
import { replay } from "../src/golden/replay.js";
import { fixtures, run, runHere, temporaryDirectory } from "./cli-runs.js";

const directory = temporaryDirectory();

/** The results of a fixture, which golden.test.ts checks. */
async function countsOf(
  file: string,
  backend: () => Backend = oracle,
): Promise<Record<string, number>> {
  const golden = parseGolden(readFileSync(join(fixtures, file), "utf8"), file);
  const results = await replay(golden, { backend });
  const count = (status: string): number => results.filter((one) => one.status === status).length;
  return {
    passed: count("passed"),
    failed: count("failed"),
    unsupported: count("unsupported"),
  };
}

describe("golden", () => {
  slowTest("--json is one document", async () => {
    const { status, output, errors } = await run(["golden", "torch.json", "optax.json", "--json"]);
    expect([status, errors]).toEqual([0, ""]);
    const { files } = JSON.parse(output) as { files: Record<string, unknown>[] };
    expect(
      files.map(({ file, backend, passed, failed, unsupported }) => ({
        file,
        backend,
        passed,
        failed,
        unsupported,
      })),
    ).toEqual([
      { file: "torch.json", backend: "oracle", ...(await countsOf("torch.json")) },
      { file: "optax.json", backend: "oracle", ...(await countsOf("optax.json")) },
    ]);
    const [first] = files[0].cases as Record<string, unknown>[];
    expect(first).toMatchObject({ id: "adam", status: "passed" });
    expect(first.worstRelativeError).toBeLessThan(1e-12);
  });

  slowTest("a table for people, without colours where there is no terminal", async () => {
    const { status, output } = await runHere(["golden", "keras.json", "--backend", "reference"]);
    expect(status).toBe(0);
    const { passed, failed, unsupported } = await countsOf("keras.json", reference);
    expect(output).toContain(`${passed} passed, ${failed} failed, ${unsupported} unsupported`);
    expect(output).not.toContain("\u001B");
  });

  test("numbers that differ are a failure", async () => {
    const file = join(directory, "wrong.json");
    writeFileSync(
      file,
      JSON.stringify({
        library: "torch",
        parameters: { a: { shape: [1], values: [1] } },
        gradients: [{ a: [1] }],
        cases: [{ id: "x", optimizer: "SGD", config: { lr: 0.1 }, expected: [{ a: [0.8] }] }],
      }),
    );
    const { status, output } = await runHere(["golden", "wrong.json", "--json"], directory);
    expect(status).toBe(1);
    expect(JSON.parse(output)).toMatchObject({
      files: [{ failed: 1, cases: [{ status: "failed" }] }],
    });
  });
});
