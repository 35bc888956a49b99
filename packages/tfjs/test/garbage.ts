import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Collects garbage and runs finalizers. */
export async function collectGarbage(): Promise<void> {
  for (let i = 0; i < 3; i += 1) {
    collect();
    await new Promise((resolve) => {
      setTimeout(resolve, 0);
    });
  }
}
