import { roundToNearest, wgsl } from "@gradstep/conformance";
import type { Candidate, OpenedBackend } from "@gradstep/conformance/doctor";
import { cpuJs } from "@gradstep/cpu-js";
import { wasm } from "@gradstep/wasm";
import { webgpu } from "@gradstep/webgpu";
import { threadCount, type BackendName } from "../backends/browser-backends.js";

/** A backend that is checked, and not timed. */
type CheckableBackend = Omit<OpenedBackend, "forSpeed" | "finish">;

/** What the suite needs to know about a backend of this browser. */
export function candidateOf(name: BackendName): Omit<Candidate, "open"> {
  return {
    name,
    model: name === "webgpu" ? wgsl : roundToNearest,
    wrapsArrays: name.startsWith("cpu-js"),
  };
}

/** Opens a backend for checks, in a worker. Rejects if this browser lacks it. */
export function openForChecks(name: BackendName): Promise<CheckableBackend> {
  return openers[name]();
}

const openers: Readonly<Record<BackendName, () => Promise<CheckableBackend>>> = {
  "cpu-js": async () => simple(() => cpuJs()),
  "cpu-js-exact": async () => simple(() => cpuJs({ exact: true })),
  wasm: async () => simple(() => wasm()),
  "wasm-threads": openThreads,
  webgpu: openWebGpu,
};

function simple(forCheck: CheckableBackend["forCheck"]): CheckableBackend {
  return { forCheck, dispose: () => {} };
}

/** The checks take turns with two backends, since each has workers, which run every step, however small. */
async function openThreads(): Promise<CheckableBackend> {
  const threads = threadCount();
  const backends = Array.from({ length: 2 }, () => wasm({ threads, parallelThreshold: 0 }));
  await Promise.all(backends.map((backend) => backend.ready()));
  const [problem] = backends.flatMap(({ diagnostics }) => diagnostics);
  if (problem !== undefined) throw new Error(problem);
  let next = 0;
  return {
    detail: `${threads} threads`,
    forCheck: () => backends[next++ % backends.length],
    dispose: () => {
      for (const backend of backends) backend.dispose();
    },
  };
}

async function openWebGpu(): Promise<CheckableBackend> {
  const { device } = await webgpu();
  const isEmulated = device.adapterInfo?.isFallbackAdapter === true;
  return { isEmulated, forCheck: () => webgpu({ device }), dispose: () => device.destroy() };
}
