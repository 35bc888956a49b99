/** The part of `node:worker_threads` that is used. */
interface NodeWorkerThreads {
  readonly Worker: new (
    source: string,
    options: { eval: boolean; workerData: unknown; execArgv: string[] },
  ) => NodeWorker;
}

interface NodeWorker {
  on(event: "error", listener: (error: unknown) => void): unknown;
  on(event: "exit", listener: (code: number) => void): unknown;
  unref(): void;
  terminate(): unknown;
}

/** The globals of Node and of browsers that are used. */
interface Host {
  readonly process?: { readonly type?: string; getBuiltinModule?(name: string): unknown };
  readonly Worker?: unknown;
  readonly crossOriginIsolated?: boolean;
  readonly SharedArrayBuffer?: unknown;
}

/** The worker threads of Node, Deno or Bun, if this is one of them. */
export function nodeWorkerThreads(): NodeWorkerThreads | undefined {
  const { process } = globalThis as unknown as Host;
  // Pages of Electron can have Node's modules, but its worker threads do not start there.
  if (process?.type === "renderer" || process?.type === "worker") return undefined;
  return process?.getBuiltinModule?.("node:worker_threads") as NodeWorkerThreads | undefined;
}

/** Why threads are not possible on this host; undefined if they are. */
export function threadsUnavailable(): string | undefined {
  if (nodeWorkerThreads() !== undefined) return undefined;
  const { Worker, SharedArrayBuffer, crossOriginIsolated } = globalThis as unknown as Host;
  if (Worker === undefined) return "this host has no workers";
  if (SharedArrayBuffer === undefined || crossOriginIsolated === false) {
    return (
      "the page is not cross-origin isolated, so memory cannot be shared; serve it with the headers " +
      '"Cross-Origin-Opener-Policy: same-origin" and "Cross-Origin-Embedder-Policy: require-corp"'
    );
  }
  return undefined;
}
