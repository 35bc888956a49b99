import "@tensorflow/tfjs-backend-cpu";
import type { Contender } from "./contender.js";
import { tfjsContender } from "./tfjs.js";

/** TF.js's own Adam in plain JavaScript. */
export const tfjsCpu: Contender = tfjsContender(
  "tfjs-cpu",
  "TF.js 4.22, tf.train.adam, in plain JavaScript",
  "cpu",
);
