import { releaseProxy, wrap, type Remote } from "comlink";
import type { TrainingWorker } from "./train.worker.js";

/** Calls a worker that trains no run, and ends it. */
export async function withIdleWorker<T>(
  action: (remote: Remote<TrainingWorker>) => Promise<T>,
): Promise<T> {
  const worker = new Worker(new URL("./train.worker.ts", import.meta.url), { type: "module" });
  const remote = wrap<TrainingWorker>(worker);
  try {
    return await action(remote);
  } finally {
    remote[releaseProxy]();
    worker.terminate();
  }
}
