import type { OptimizerSpec } from "@gradstep/core";
import { fromKeras, fromOptax, fromTfjs, fromTorch } from "@gradstep/core/interop";

/** Names of the libraries, and what makes an optimizer of each. */
export const libraries = {
  keras: {
    title: "Keras",
    make: (name: string): OptimizerSpec => fromKeras({ class_name: name, config: {} }),
  },
  torch: { title: "PyTorch", make: (name: string): OptimizerSpec => fromTorch(name) },
  optax: { title: "Optax", make: (name: string): OptimizerSpec => fromOptax(name) },
  tfjs: {
    title: "TensorFlow.js",
    make: (name: string): OptimizerSpec =>
      fromTfjs(name, name === "momentum" ? { momentum: 0.9 } : {}),
  },
} as const;

/** A library that gradstep reads optimizers of. */
export type Library = keyof typeof libraries;
