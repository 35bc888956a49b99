import { memoryStore } from "@gradstep/checkpoint";
import type { Digits } from "@gradstep/digits";
import { settingsFromUrl } from "../../src/train/url-settings.js";

const trained = new Map<string, ReturnType<typeof train>>();

/**
 * What a run of these settings, as in a query string, ends with in this process, which is not a browser. Trained once.
 * @param digits all of the demo's if left out
 */
export function trainedHere(
  state: Readonly<Record<string, string>>,
  digits?: Digits,
): ReturnType<typeof train> {
  const key = JSON.stringify([state, digits?.training.count]);
  const run = trained.get(key) ?? train(state, digits);
  trained.set(key, run);
  return run;
}

async function train(state: Readonly<Record<string, string>>, digits?: Digits) {
  // Loaded only by the tests that need it.
  const [{ readDigits }, { enableProdMode, setBackend }, { TrainingSession }] = await Promise.all([
    import("@gradstep/digits/read"),
    import("@tensorflow/tfjs-core"),
    import("../../src/train/training-session.js"),
    import("@tensorflow/tfjs-backend-wasm"),
  ]);
  enableProdMode();
  await setBackend("wasm");
  const losses: number[] = [];
  const session = new TrainingSession({
    settings: settingsFromUrl(state).state,
    digits: digits ?? readDigits(),
    store: memoryStore(),
    listener: { onReport: (report) => losses.push(...report.losses), onPause() {} },
  });
  return { ...(await session.run()), losses };
}
