/**
 * Resolves in a task of its own, so that messages, signals and the results of a GPU are handled before. Unlike
 * `tf.nextFrame`, it does not wait for a frame, which a worker of a hidden page never has.
 */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === "function") {
      setImmediate(resolve);
      return;
    }
    const { port1, port2 } = new MessageChannel();
    port1.addEventListener("message", () => {
      port1.close();
      resolve();
    });
    port1.start();
    port2.postMessage(undefined);
  });
}
