import { readdirSync, readFileSync } from "node:fs";
import { oracle, reference } from "@gradstep/core/reference";
import { cpuJs } from "@gradstep/cpu-js";
import { describe, expect, test } from "vitest";
import { readOptax } from "../../src/bridges/optax/index.js";
import { resume, worstDifference, type NamedValues } from "./resumed-run.js";

const folder = new URL("../fixtures/optax/", import.meta.url);
const read = (name: string): Buffer => readFileSync(new URL(name, folder));
const json = <T>(name: string): T => JSON.parse(read(name).toString()) as T;

/** The gradients of the calls after a file was saved. */
const gradients =
  json<Readonly<Record<"network" | "matrices", readonly NamedValues[]>>>("gradients.json");

const names = readdirSync(folder)
  .filter((name) => name.endsWith("-f32.safetensors"))
  .map((name) => name.replace("-f32.safetensors", ""));

describe("files of Optax 0.2.8: the next ten calls", () => {
  test.each(names)("%s in f64", async (name) => {
    const checkpoint = await readOptax(read(`${name}-f64.safetensors`));
    const expected = json<readonly NamedValues[]>(`${name}-f64.json`);
    const steps = gradients[name === "muon" ? "matrices" : "network"];
    const worst = await worstDifference(resume(checkpoint, oracle()), steps, expected);
    expect(worst).toBeLessThan(1e-12);
  });

  test.each(names)("%s in f32", async (name) => {
    const checkpoint = await readOptax(read(`${name}-f32.safetensors`));
    const expected = json<readonly NamedValues[]>(`${name}-f32.json`);
    const steps = gradients[name === "muon" ? "matrices" : "network"];
    for (const backend of [reference(), cpuJs()]) {
      const worst = await worstDifference(resume(checkpoint, backend), steps, expected);
      expect(worst).toBeLessThan(1e-6);
    }
  });
});

test.each([
  ["a count that is one too high", (one: Float64Array) => one, 1],
  [
    "a moment that is off by 1e-9 of itself",
    (one: Float64Array) => one.map((v) => v * (1 + 1e-9)),
    0,
  ],
])("the comparison notices %s", async (_, change, more) => {
  const { state, ...others } = await readOptax(read("adamw-f64.safetensors"));
  const iterations = state.iterations + more;
  const slots = Object.entries(state.slots).map(([name, { m, v }]) => [
    name,
    { m: change(m as Float64Array), v },
  ]);
  const wrong = {
    ...state,
    iterations,
    groups: state.groups.map((group) => ({ ...group, iterations })),
    slots: Object.fromEntries(slots),
  };
  const expected = json<readonly NamedValues[]>("adamw-f64.json");
  const run = resume({ ...others, state: wrong }, oracle());
  expect(await worstDifference(run, gradients.network, expected)).toBeGreaterThan(1e-12);
});
