import { GradstepError } from "@gradstep/core";
import { hasVulkan, useSwiftShader } from "./swiftshader.js";

/** A `navigator.gpu` for Node. */
export interface NodeGpu {
  readonly gpu: GPU;
  /** What it computes on, as the driver calls it. */
  readonly description: string;
}

interface Dawn {
  readonly create: (options: string[]) => GPU;
}

/**
 * Everything that lives on a device crashes once the object that `create` gave is collected, so it is kept; it does
 * not keep the process alive.
 */
let found: Promise<NodeGpu> | undefined;

/**
 * WebGPU in Node: the package `webgpu` (Dawn) on the platform's own GPU; on Linux x64 without one, on SwiftShader, a
 * driver in software, if the package `@sparticuz/chromium` is installed, too. Every call gives the same object.
 *
 * @throws {GradstepError} `UNSUPPORTED`
 */
export function nodeGpu(): Promise<NodeGpu> {
  found ??= find();
  return found;
}

async function find(): Promise<NodeGpu> {
  const { create } = await importDawn();
  if (process.platform !== "linux" || hasVulkan()) {
    const gpu = create([]);
    const adapter = await gpu.requestAdapter();
    if (adapter !== null) return { gpu, description: adapter.info.description };
  }
  const problem = useSwiftShader();
  if (problem === undefined) {
    const gpu = create([]);
    const software = await gpu.requestAdapter();
    if (software !== null) return { gpu, description: software.info.description };
  }
  throw new GradstepError(
    `Node found no GPU${problem === undefined ? "" : `, nor a driver in software: ${problem}`}. Install a Vulkan driver, or @sparticuz/chromium on Linux x64.`,
    { code: "UNSUPPORTED" },
  );
}

async function importDawn(): Promise<Dawn> {
  // Its name is kept from bundlers: it is there or not.
  const name = "webgpu";
  try {
    return (await import(name)) as Dawn;
  } catch (cause) {
    throw new GradstepError(
      `WebGPU in Node needs the package webgpu, which cannot be loaded here (${String(cause).split("\n")[0]}). Install it: npm install webgpu.`,
      { code: "UNSUPPORTED", cause },
    );
  }
}
