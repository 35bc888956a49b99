import { nodeWorkerThreads } from "./thread-support.js";
import { nodeWorkerScript, workerScript, type WorkerData } from "./worker-script.js";

/** A running worker, in Node or in a browser. */
export interface WorkerThread {
  terminate(): void;
}

/** The part of a Web Worker that is used. */
interface WebWorker {
  onmessage: (() => void) | null;
  onerror: ((event: { message?: string }) => void) | null;
  postMessage(data: unknown): void;
  terminate(): void;
}

/** The globals of browsers that are used. */
interface Host {
  readonly Worker: new (url: string) => WebWorker;
  readonly URL: { createObjectURL(blob: unknown): string; revokeObjectURL(url: string): void };
  readonly Blob: new (parts: readonly string[], options: { type: string }) => unknown;
  readonly window?: unknown;
}

const host = globalThis as unknown as Host;

/** Whether this thread can block in `Atomics.wait`: the main thread of a page cannot. */
export function canBlock(): boolean {
  return host.window === undefined;
}

/**
 * Starts a worker. It does not keep a Node process alive.
 *
 * @param url of a file that holds `workerScript()`; a blob if left out.
 * @param onLost called with the reason if the worker fails to start or ends. It can be called more than once.
 */
export function startWorker(
  data: WorkerData,
  url: string | undefined,
  onLost: (reason: string) => void,
): WorkerThread {
  return nodeWorkerThreads() === undefined
    ? startWebWorker(data, url, onLost)
    : startNodeWorker(data, onLost);
}

function startNodeWorker(data: WorkerData, onLost: (reason: string) => void): WorkerThread {
  const { Worker } = nodeWorkerThreads()!;
  const worker = new Worker(nodeWorkerScript(), { eval: true, workerData: data, execArgv: [] });
  worker.on("error", (error) => onLost(String(error)));
  worker.on("exit", (code) => onLost(`it exited with code ${code}`));
  worker.unref();
  return { terminate: () => void worker.terminate() };
}

function startWebWorker(
  data: WorkerData,
  url: string | undefined,
  onLost: (reason: string) => void,
): WorkerThread {
  let blobUrl: string | undefined;
  if (url === undefined)
    blobUrl = host.URL.createObjectURL(
      new host.Blob([workerScript()], { type: "text/javascript" }),
    );
  /** Frees the script: a blob lives as long as its URL is not revoked. */
  const revoke = (): void => {
    if (blobUrl !== undefined) host.URL.revokeObjectURL(blobUrl);
    blobUrl = undefined;
  };
  let worker: WebWorker;
  try {
    worker = new host.Worker((url ?? blobUrl)!);
  } catch (error) {
    revoke();
    throw error;
  }
  worker.onmessage = revoke;
  worker.onerror = ({ message }) => {
    revoke();
    onLost(message ?? "its script did not load");
  };
  worker.postMessage(data);
  return {
    terminate() {
      revoke();
      worker.terminate();
    },
  };
}
