import { adam } from "./adam.js";
import { nonNegative } from "../rule/hyperparameter.js";

/** AdamW: Loshchilov & Hutter 2019. Adam with decoupled weight decay of 0.004 by default, as in Keras. */
export const adamw = /* @__PURE__ */ adam.extend({
  name: "adamw",
  hyperparameters: { weightDecay: nonNegative(0.004) },
});
