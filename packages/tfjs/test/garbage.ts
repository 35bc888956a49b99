import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
/** Collects garbage, but runs no finalizers. */
export const collectNow = runInNewContext("gc") as () => void;

/** Collects garbage and runs finalizers. */
export async function collectGarbage(): Promise<void> {
  for (let i = 0; i < 3; i += 1) {
    collectNow();
    await new Promise((resolve) => {
      setTimeout(resolve, 0);
    });
  }
}
