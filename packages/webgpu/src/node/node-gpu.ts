// The named import would have webpack resolve what is required, and warn that it cannot.
import nodeModule from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { GradstepError } from "@gradstep/core";
import { hasVulkanLoader, loadSwiftShader } from "./swiftshader.js";

/** A `navigator.gpu` for Node. */
export interface NodeGpu {
  readonly gpu: GPU;
  /** The name of the adapter, as its driver gives it. */
  readonly description: string;
}

interface Dawn {
  readonly create: (options: string[]) => GPU;
}

/** Otherwise, SwiftShader unrolls the zeroing of workgroup memory: 1,024 values take 0.3 s to compile. */
const swiftShaderOptions = [
  "disable-dawn-features=use_vulkan_zero_initialize_workgroup_memory_extension",
];

/** Kept, since devices crash once the object that `create` returned is collected. It does not keep the process alive. */
let nodeGpuPromise: Promise<NodeGpu> | undefined;

/**
 * WebGPU in Node: the package `webgpu` (Dawn) on the GPU of the platform. On Linux x64 without one it runs on
 * SwiftShader, a software driver, if the package `@sparticuz/chromium` is installed. All calls return the same object.
 *
 * @throws {GradstepError} `UNSUPPORTED`
 */
export function nodeGpu(): Promise<NodeGpu> {
  nodeGpuPromise ??= createNodeGpu();
  return nodeGpuPromise;
}

async function createNodeGpu(): Promise<NodeGpu> {
  const { create } = await importDawn();
  if (process.platform !== "linux" || hasVulkanLoader()) {
    const gpu = create([]);
    const adapter = await gpu.requestAdapter();
    if (adapter !== null) return { gpu, description: adapter.info.description };
  }
  const problem = loadSwiftShader();
  if (problem === undefined) {
    const gpu = create(swiftShaderOptions);
    const adapter = await gpu.requestAdapter();
    if (adapter !== null) return { gpu, description: adapter.info.description };
    throw new GradstepError(
      `Node found no GPU, and Vulkan does not find the software driver: environment variables that are set in a worker thread, in Jest or in Bun do not reach it. Use the main thread in Node, or start the process with VK_ICD_FILENAMES=${process.env.VK_ICD_FILENAMES}, and Bun also with that folder as LD_LIBRARY_PATH.`,
      { code: "UNSUPPORTED" },
    );
  }
  throw new GradstepError(
    `Node found no GPU, and no software driver: ${problem}. Install a Vulkan driver, or @sparticuz/chromium on Linux x64.`,
    { code: "UNSUPPORTED" },
  );
}

/** The package `webgpu`, from where this program's packages are, or else from the working directory. */
async function importDawn(): Promise<Dawn> {
  // Bundlers must leave these imports alone: the package is optional, and contains a native addon.
  const name = "webgpu";
  try {
    return (await import(
      /* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ name
    )) as Dawn;
  } catch (cause) {
    const path = isMissing(cause) ? fromWorkingDirectory(name) : undefined;
    if (path !== undefined)
      return (await import(
        /* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ path
      )) as Dawn;
    throw new GradstepError(
      `WebGPU in Node needs the package webgpu, which cannot be loaded here (${String(cause).split("\n")[0]}). Install it: npm install webgpu. If this program is bundled, the package must be installed where the bundle runs.`,
      { code: "UNSUPPORTED", cause },
    );
  }
}

function isMissing(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === "ERR_MODULE_NOT_FOUND";
}

/** The URL of a package of the project in which a program runs that is installed elsewhere, such as in the cache of npx. */
function fromWorkingDirectory(name: string): string | undefined {
  try {
    const { resolve } = nodeModule.createRequire(join(process.cwd(), "package.json"));
    return pathToFileURL(resolve(name)).href;
  } catch {
    return undefined;
  }
}
