// Compiles without DOM types: `lib` is ES2022 alone.
import {
  adam,
  adamw,
  autoBackend,
  type Backend,
  cpuJs,
  createOptimizer,
  defineRule,
  GradstepError,
  type OptimizerState,
  wasm,
} from "gradstep";
import { optimizerByName } from "gradstep/by-name";
import { fromTorch } from "gradstep/interop";
import { reference } from "gradstep/reference";

const weights = new Float32Array(2);
const optimizer = createOptimizer(adam({ learningRate: 0.1 }), { weights: cpuJs().wrap(weights) });
optimizer.step({ weights });
optimizer.learningRate = 0.01;
export const state: Promise<OptimizerState> = optimizer.state();
export const backends: readonly Backend[] = [reference(), wasm({ threads: 2 })];
export const automatic: Promise<Backend> = autoBackend();
export const rules = [adamw(), fromTorch("Adam", { lr: 0.1 }), optimizerByName("adam")];
export const signum = defineRule;
export const isTyped = (error: unknown): boolean => error instanceof GradstepError;

// @ts-expect-error: options are checked.
adam({ learningrate: 0.1 });
