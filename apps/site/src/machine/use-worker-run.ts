import { useEffect, useRef, useState } from "preact/hooks";
import { brokenWorker } from "../broken-worker.js";

/** Work that a worker does for a page. */
export interface WorkerRun {
  readonly isRunning: boolean;
  /** Why the last run failed. */
  readonly failure: string | undefined;
  /** Starts a run in a new worker. The one before, if any, ends. */
  readonly start: (
    createWorker: () => Worker,
    work: (worker: Worker, signal: AbortSignal) => Promise<void>,
  ) => void;
  /** Ends the worker, whatever it does. */
  readonly stop: () => void;
}

/** Work in a worker that can be stopped at any time, because its worker is ended. It ends with the page. */
export function useWorkerRun(pageSignal: AbortSignal): WorkerRun {
  const [isRunning, setIsRunning] = useState(false);
  const [failure, setFailure] = useState<string>();
  const current = useRef<AbortController>(undefined);
  const stop = (): void => current.current?.abort();
  useEffect(() => {
    pageSignal.addEventListener("abort", stop);
    return stop;
  }, []);
  const start: WorkerRun["start"] = (createWorker, work) => {
    stop();
    const controller = new AbortController();
    const { signal } = controller;
    current.current = controller;
    const worker = createWorker();
    const end = (reason?: string): void => {
      if (current.current !== controller) return;
      setIsRunning(false);
      setFailure(reason);
    };
    signal.addEventListener("abort", () => {
      worker.terminate();
      end();
    });
    const fail = (reason: string): void => {
      end(reason);
      worker.terminate();
    };
    brokenWorker(worker).catch((error: Error) => fail(error.message));
    setFailure(undefined);
    setIsRunning(true);
    work(worker, signal).then(
      () => {
        if (!signal.aborted) controller.abort();
      },
      (error: unknown) => {
        if (!signal.aborted) fail(error instanceof Error ? error.message : String(error));
      },
    );
  };
  return { isRunning, failure, start, stop };
}
