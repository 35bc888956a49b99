import { readdirSync, readFileSync } from "node:fs";
import { torchStep } from "@gradstep/core/interop";
import { oracle, reference } from "@gradstep/core/reference";
import { cpuJs } from "@gradstep/cpu-js";
import { describe, expect, test } from "vitest";
import { readTorch } from "../../src/bridges/torch/index.js";
import { resume, worstDifference, type NamedValues } from "./resumed-run.js";

const folder = new URL("../fixtures/torch/", import.meta.url);
const read = (name: string): Buffer => readFileSync(new URL(name, folder));
const json = <T>(name: string): T => JSON.parse(read(name).toString()) as T;

/** The gradients of the steps after a file was saved. */
const gradients = json<readonly NamedValues[]>("gradients.json");

/** By case and parameter, the steps after the file in which a parameter has no gradient. */
const absent = json<Readonly<Record<string, NamedValues>>>("absent.json");

const names = readdirSync(folder)
  .filter((name) => name.endsWith("-f32.safetensors"))
  .map((name) => name.replace("-f32.safetensors", ""))
  .filter((name) => !Object.hasOwn(absent, name));

describe("files of PyTorch 2.13: the next ten steps", () => {
  test.each(names)("%s in f64", async (name) => {
    const checkpoint = await readTorch(read(`${name}-f64.safetensors`));
    const expected = json<readonly NamedValues[]>(`${name}-f64.json`);
    const worst = await worstDifference(resume(checkpoint, oracle()), gradients, expected);
    expect(worst).toBeLessThan(1e-12);
  });

  test.each(names)("%s in f32", async (name) => {
    const checkpoint = await readTorch(read(`${name}-f32.safetensors`));
    const expected = json<readonly NamedValues[]>(`${name}-f32.json`);
    for (const backend of [reference(), cpuJs()]) {
      const worst = await worstDifference(resume(checkpoint, backend), gradients, expected);
      expect(worst).toBeLessThan(1e-6);
    }
  });
});

describe("files of PyTorch 2.13 whose parameters have no gradients in some steps", () => {
  const given = (name: string): NamedValues[] =>
    gradients.map((one, i) =>
      Object.fromEntries(
        Object.entries(one).filter(([key]) => absent[name][key]?.includes(i) !== true),
      ),
    );

  test.each(Object.keys(absent))("%s in f64", async (name) => {
    const file = read(`${name}-f64.safetensors`);
    const expected = json<readonly NamedValues[]>(`${name}-f64.json`);
    const run = resume(await readTorch(file, { groups: "parameter" }), oracle());
    expect(await worstDifference(run, given(name), expected, torchStep)).toBeLessThan(1e-12);
    expect(run.optimizer.groups.every(({ frozen }) => !frozen)).toBe(true);
  });

  test.each(Object.keys(absent))("%s in f32", async (name) => {
    const checkpoint = await readTorch(read(`${name}-f32.safetensors`), { groups: "parameter" });
    const expected = json<readonly NamedValues[]>(`${name}-f32.json`);
    for (const backend of [reference(), cpuJs()]) {
      const run = resume(checkpoint, backend);
      expect(await worstDifference(run, given(name), expected, torchStep)).toBeLessThan(1e-6);
    }
  });
});
