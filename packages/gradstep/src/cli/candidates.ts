import { availableParallelism } from "node:os";
import { roundToNearest, wgsl } from "@gradstep/conformance";
import type { Candidate, MissingBackend, OpenedBackend } from "@gradstep/conformance/doctor";
import { cpuJs } from "@gradstep/cpu-js";
import { isSupported, wasm, type Wasm } from "@gradstep/wasm";
import { nodeGpu, webgpu } from "@gradstep/webgpu/node";

/** The backends of gradstep, as a program in Node can have them. */
export const candidates: readonly Candidate[] = [
  {
    name: "cpu-js",
    model: roundToNearest,
    wrapsArrays: true,
    open: async () => inJavaScript(false),
  },
  {
    name: "cpu-js-exact",
    model: roundToNearest,
    wrapsArrays: true,
    open: async () => inJavaScript(true),
  },
  { name: "wasm", model: roundToNearest, wrapsArrays: false, open: openWasm },
  { name: "wasm-threads", model: roundToNearest, wrapsArrays: false, open: openThreads },
  { name: "webgpu", model: wgsl, wrapsArrays: false, open: openWebGpu },
];

function inJavaScript(exact: boolean): OpenedBackend {
  const make = () => cpuJs({ exact });
  return { forCheck: make, forSpeed: make, dispose: () => {} };
}

const noSimd: MissingBackend = {
  missing: "this runtime has no WebAssembly with SIMD, or forbids compiling it",
  remedy: "Use Node 20.19 or newer, without --jitless.",
};

async function openWasm(): Promise<OpenedBackend | MissingBackend> {
  if (!isSupported()) return noSimd;
  const measured = wasm();
  return {
    detail: "SIMD, one thread",
    forCheck: () => wasm(),
    forSpeed: () => measured,
    dispose: () => measured.dispose(),
  };
}

async function openThreads(): Promise<OpenedBackend | MissingBackend> {
  if (!isSupported()) return noSimd;
  const threads = Math.max(2, Math.min(8, availableParallelism()));
  const measured = wasm({ threads });
  // Each has workers, so the checks take turns. The checks run every step on all threads, however small.
  const checked = Array.from({ length: 2 }, () => wasm({ threads, parallelThreshold: 0 }));
  const all = [measured, ...checked];
  const dispose = (): void => {
    for (const backend of all) backend.dispose();
  };
  await Promise.all(all.map((backend) => backend.ready()));
  const problem = all.flatMap((backend: Wasm) => backend.diagnostics)[0];
  if (problem !== undefined) {
    dispose();
    return {
      missing: problem.replace(/\.$/, ""),
      remedy:
        "Threads need shared memory and workers; run gradstep where the runtime permits both.",
    };
  }
  let next = 0;
  return {
    detail: `${threads} threads`,
    forCheck: () => checked[next++ % checked.length],
    forSpeed: () => measured,
    dispose,
  };
}

async function openWebGpu(): Promise<OpenedBackend | MissingBackend> {
  let measured;
  let description;
  try {
    ({ description } = await nodeGpu());
    measured = await webgpu();
  } catch (error) {
    return whyNoGpu(error);
  }
  const { device } = measured;
  const isEmulated = device.adapterInfo?.isFallbackAdapter === true;
  return {
    detail: isEmulated ? `${description}, a GPU in software` : description,
    isEmulated,
    forCheck: () => webgpu({ device }),
    forSpeed: () => measured,
    finish: async () => {
      await device.queue.onSubmittedWorkDone();
    },
    dispose: () => measured.dispose(),
  };
}

function whyNoGpu(error: unknown): MissingBackend {
  const { cause, message } = error instanceof Error ? error : new Error(String(error));
  if ((cause as { code?: unknown } | undefined)?.code === "ERR_MODULE_NOT_FOUND") {
    return {
      missing: "the package webgpu is not installed",
      remedy: "npm install webgpu",
    };
  }
  return {
    missing: message.split(/\.\s/)[0].replace(/\.$/, ""),
    remedy:
      "Install a driver of the GPU that has Vulkan. On Linux x64 without a GPU, npm install @sparticuz/chromium has one in software.",
  };
}
