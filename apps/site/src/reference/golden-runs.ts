import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Backend } from "@gradstep/core";
import { cpuJs } from "@gradstep/cpu-js";
import { goldenSpec, parseGolden, replay, type Library } from "@gradstep/conformance";
import { wasm } from "@gradstep/wasm";

/** A recorded run of another library, replayed. */
export interface GoldenRun {
  readonly library: Library;
  /** Of the library: `3.15.1`. */
  readonly version: string;
  readonly id: string;
  /** The rule and the stages that computed it. */
  readonly parts: readonly string[];
  readonly steps: number;
  /** In f64, of all values after all steps, relative to the largest magnitude of each. */
  readonly relativeDifference: number;
  /** What the library's own roundings permit, if they are not those of f64. */
  readonly tolerance: number | undefined;
  /** The largest error on f32 backends, as a part of the derived bound. */
  readonly errorOverBound: Readonly<Record<string, number>>;
}

const fixtures = new URL("../fixtures/", import.meta.resolve("@gradstep/conformance"));

const backends: Readonly<Record<string, () => Backend | Promise<Backend>>> = {
  "cpu-js": () => cpuJs(),
  wasm: () => wasm(),
};

/** Replays all recorded runs of Keras, PyTorch and Optax. @throws if one does not pass */
export async function goldenRuns(): Promise<readonly GoldenRun[]> {
  const names = readdirSync(fixtures).filter((name) => name.endsWith(".json"));
  const all: GoldenRun[] = [];
  for (const name of names) {
    const text = readFileSync(fileURLToPath(new URL(name, fixtures)), "utf8");
    const file = parseGolden(text, name);
    const [, version] = (JSON.parse(text) as { library: string }).library.split(" ");
    const exact = await replay(file);
    const rounded = new Map<string, Awaited<ReturnType<typeof replay>>>();
    for (const [backend, make] of Object.entries(backends))
      rounded.set(backend, await replay(file, { backend: make }));
    for (const [i, one] of file.cases.entries()) {
      const { status, reason, worstRelativeError } = exact[i];
      if (status !== "passed" || worstRelativeError === null)
        throw new Error(`${name}, ${one.id}: ${status} (${reason ?? ""})`);
      all.push({
        library: file.library,
        version,
        id: one.id,
        parts: goldenSpec(file.library, one).spec.rule.name.split("+"),
        steps: file.gradients.length,
        relativeDifference: worstRelativeError,
        tolerance: one.tolerance,
        errorOverBound: Object.fromEntries(
          [...rounded].map(([backend, results]) => [backend, results[i].worstErrorOverBound ?? 0]),
        ),
      });
    }
  }
  return all;
}
