import { nonNegative } from "../src/rule/hyperparameter.js";

/** A definition that is correct. */
export const plain = {
  name: "plain",
  hyperparameters: { learningRate: nonNegative(0.1) },
  slots: {},
  perStep: "",
  perElement: "p = p - g * learningRate",
};
