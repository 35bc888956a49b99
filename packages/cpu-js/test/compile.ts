import { generate } from "../src/generate.js";
import type { KernelTable } from "../src/kernel-table.js";
import type { Rule } from "@gradstep/core";

/** The kernels of a rule, as a build step and an engine make them. The types are what a bundler would strip. */
export async function compiled(rule: Rule, exact: boolean): Promise<KernelTable> {
  const source = generate(rule, { exact })
    .replace(/^import type .*$/m, "")
    .replace(/: KernelTable = /, " = ")
    .replace("(values: Float32Array, limit: number): void", "(values, limit)");
  const url = `data:text/javascript,${encodeURIComponent(source)}`;
  const module = (await import(/* @vite-ignore */ url)) as Record<string, KernelTable>;
  return Object.values(module)[0];
}
