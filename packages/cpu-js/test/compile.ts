import { generate } from "../src/generate.js";
import type { KernelTable } from "../src/kernel-table.js";
import type { OptimizerSpec, Rule } from "@gradstep/core";

/** The kernels of a rule or spec, as an engine compiles what a build script wrote. */
export async function compiled(rule: Rule | OptimizerSpec, exact: boolean): Promise<KernelTable> {
  const source = generate(rule, { exact });
  const url = `data:text/javascript,${encodeURIComponent(source)}`;
  const module = (await import(/* @vite-ignore */ url)) as Record<string, KernelTable>;
  return Object.values(module)[0];
}
