import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { chromium } from "../../testing/chromium.js";
import { bundleWorker } from "./bundles.js";
import { runCommand, runNpmCommand } from "./command.js";
import type { StepResults } from "./step-results.js";

/** A development dependency of one of the packages. */
const requireIn = (packageName: string): NodeJS.Require =>
  createRequire(new URL(`../../packages/${packageName}/package.json`, import.meta.url));

/** Runs the program in `project` that takes the steps. */
export type Runtime = (project: string) => Promise<StepResults>;

/** This Node. */
export const thisNode: Runtime = (project) => results(process.execPath, ["server.js"], project);

/** A Node of another version. */
export function otherNode(version: number): Runtime {
  return async (project) => {
    const PATH = await pathOf(`node@${version}`);
    return results("node", ["server.js"], project, { ...process.env, PATH });
  };
}

export const bun: Runtime = async (project) => {
  const PATH = await pathOf("bun@1");
  return results("bun", ["server.js"], project, { ...(await withSoftwareDriver()), PATH });
};

export const deno: Runtime = async (project) =>
  results(
    process.execPath,
    [
      join(dirname(requireIn("webgpu").resolve("deno/package.json")), "bin.cjs"),
      "run",
      "--allow-all",
      "--unstable-webgpu",
      "--node-modules-dir=manual",
      "server.js",
    ],
    project,
    { ...(await withSoftwareDriver()), NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
  );

/** The PATH with which the commands of a package run that npm fetches into its cache, as npx does. */
async function pathOf(packageName: string): Promise<string> {
  return (await runNpmCommand(packageName, ["node", "-p", "process.env.PATH"])).trim();
}

/** The environment in which Vulkan finds the software driver of Chromium, where there is one. */
async function withSoftwareDriver(): Promise<NodeJS.ProcessEnv> {
  const driver = (await chromium())?.env?.VK_ICD_FILENAMES;
  if (driver === undefined) return process.env;
  return { ...process.env, VK_ICD_FILENAMES: driver, LD_LIBRARY_PATH: dirname(driver) };
}

export const workerd: Runtime = async (project) => {
  const folder = mkdtempSync(join(project, "workerd-"));
  await bundleWorker(project, join(folder, "worker.js"));
  writeFileSync(
    join(folder, "adam.wasm"),
    readFileSync(join(project, "node_modules/@gradstep/wasm/dist/rules/adam.wasm")),
  );
  writeFileSync(
    join(folder, "config.capnp"),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [(name = "main", worker = (
  compatibilityDate = "2026-01-01",
  modules = [
    (name = "worker", esModule = embed "worker.js"),
    (name = "@gradstep/wasm/rules/adam.wasm", wasm = embed "adam.wasm"),
  ],
))]);
`,
  );
  const { default: binary } = requireIn("wasm")("workerd") as { default: string };
  const output = await runCommand(binary, ["test", "--verbose", join(folder, "config.capnp")]);
  return parsed(/^results (.*)$/m.exec(output)?.[1] ?? output);
};

async function results(
  file: string,
  args: readonly string[],
  project: string,
  env?: NodeJS.ProcessEnv,
): Promise<StepResults> {
  return parsed(
    await runCommand(file, args, { cwd: project, ...(env && { env }), timeout: 90_000 }),
  );
}

function parsed(output: string): StepResults {
  try {
    return JSON.parse(output) as StepResults;
  } catch {
    throw new Error(`Expected results as JSON; got ${output.slice(0, 500)}`);
  }
}
