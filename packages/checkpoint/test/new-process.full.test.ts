import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { rules } from "@gradstep/core/rules";
import { stages } from "@gradstep/core/stages";
import { nodeGpu } from "@gradstep/webgpu/node";
import { afterAll, describe, expect, test } from "vitest";
import { isExhaustive, seed } from "../../../testing/cases.js";

/** Uses the built packages. */
const program = fileURLToPath(new URL("new-process/training.mjs", import.meta.url));
const directory = mkdtempSync(join(tmpdir(), "gradstep-new-process-"));
afterAll(() => rmSync(directory, { recursive: true }));

/** A driver in software compiles for half a minute: every fourth rule or stage. */
const gpuStride = isExhaustive ? 1 : 4;

async function run(phase: string, backend: string): Promise<Record<string, string>> {
  const stride = backend === "webgpu" ? gpuStride : 1;
  const args = [program, phase, backend, directory, `${stride}`, `${seed % stride}`];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as Record<string, string>;
}

const missing = await nodeGpu().then(
  () => undefined,
  (error: unknown) => String(error),
);
if (missing !== undefined) console.warn(`Skipped on webgpu: ${missing}`);

describe("steps, a save, a new process, a resume and more steps have the bits of a run that never stopped", () => {
  test.each(["cpu-js", "exact", "wasm", ...(missing === undefined ? ["webgpu"] : [])])(
    "every rule and stage on %s",
    async (backend) => {
      const straight = await run("start", backend);
      const stride = backend === "webgpu" ? gpuStride : 1;
      const all = rules.length + stages.length;
      expect(Object.keys(straight)).toHaveLength(Math.ceil((all - (seed % stride)) / stride));
      expect(new Set(Object.values(straight)).size).toBeGreaterThan(rules.length / stride);
      expect(await run("resume", backend)).toStrictEqual(straight);
    },
  );
});
