/** Rejects when a worker could not be loaded, or throws outside of a call: then calls get no answer. */
export function brokenWorker(worker: Worker): Promise<never> {
  const broken = new Promise<never>((_, reject) => {
    worker.addEventListener("error", ({ message }) => {
      reject(
        new Error(
          message || "A part of the page could not be loaded. Reload the page when online.",
        ),
      );
    });
  });
  // Those who call the worker hear of it.
  broken.catch(() => {});
  return broken;
}
