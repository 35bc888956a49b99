// TF.js's own Adam, by name, is gradstep's once that is registered.
import "@tensorflow/tfjs-backend-cpu";
import { tensor1d, train, variable } from "@tensorflow/tfjs-core";

const { adam: original } = train;
await import("@gradstep/tfjs/register");
if (train.adam === original) throw new Error("tf.train.adam is still TF.js's own.");

const weight = variable(tensor1d([0.5, -0.5]));
train.adam(0.1).applyGradients({ [weight.name]: tensor1d([0.25, -4]) });
const [a, b] = await weight.data();
if (!(Math.abs(a - 0.4) < 1e-5 && Math.abs(b + 0.4) < 1e-5))
  throw new Error(`Got ${a} and ${b}; expected 0.4 and -0.4.`);
