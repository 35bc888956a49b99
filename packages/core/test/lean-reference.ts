import type * as lean from "../src/lean/index.js";
import { reference } from "../src/reference.js";
import type { Variant } from "../src/rule/variant.js";
import { rules } from "../src/rules/index.js";

/** The reference, with the kernels of these rules: it interprets the graphs of their texts. */
export function leanReference(): lean.LeanBackend {
  const backend = reference();
  const compile = backend.compile.bind(backend);
  const variants = rules.flatMap((rule) => rule.variants());
  return Object.assign(backend, {
    isLean: true as const,
    compile: ({ perElement }: lean.LeanVariant | Variant) =>
      compile(variants.find((one) => one.perElement.fingerprint === perElement.fingerprint)!),
  });
}

/** A tensor of it with these values. */
export const tensorOf = (backend: lean.LeanBackend, values: ArrayLike<number>): lean.LeanTensor =>
  backend.tensor([values.length], values) as lean.LeanTensor;
