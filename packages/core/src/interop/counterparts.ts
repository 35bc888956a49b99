import { commonKerasOptions, kerasClasses } from "./keras.js";
import { aliases } from "./optax-aliases.js";
import { ignored, type OptionMap } from "./option-map.js";
import { tfjsOptimizers } from "./tfjs-optimizers.js";
import { commonTorchOptions, torchOptimizers } from "./torch-optimizers.js";

/** An optimizer of another library that computes a rule. */
export interface Counterpart {
  readonly library: "keras" | "torch" | "optax" | "tfjs";
  /** Its name there, which `fromKeras` and the like take: `AdamW`. */
  readonly name: string;
  /**
   * The settings that its arguments are translated to, by the names of the arguments. A setting that no rule has, such
   * as `betas`, is translated further.
   */
  readonly settings: Readonly<Record<string, string>>;
}

/** The options that all optimizers of a library have. */
const common: Readonly<Record<Counterpart["library"], OptionMap>> = {
  keras: commonKerasOptions,
  torch: commonTorchOptions,
  optax: {},
  tfjs: {},
};

/** The optimizers of Keras, PyTorch, Optax and TF.js that compute a rule; none if the libraries do not have it. */
export function counterpartsOf(rule: string): readonly Counterpart[] {
  const tables = {
    keras: kerasClasses,
    torch: torchOptimizers,
    optax: aliases,
    tfjs: tfjsOptimizers,
  } as const;
  return Object.entries(tables).flatMap(([library, table]) =>
    Object.entries(table as Readonly<Record<string, { rule: string; options: OptionMap }>>)
      .filter(([, one]) => one.rule === rule)
      .map(([name, { options }]) => ({
        library: library as Counterpart["library"],
        name,
        settings: settingsOf({ ...common[library as Counterpart["library"]], ...options }),
      })),
  );
}

function settingsOf(options: OptionMap): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(options).flatMap(([name, mapping]) =>
      mapping === ignored || !("to" in mapping) ? [] : [[name, mapping.to]],
    ),
  );
}
