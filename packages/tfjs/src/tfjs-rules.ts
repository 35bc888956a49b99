import { GradstepError, type OptimizerSpec } from "@gradstep/core";
import { fromTfjs } from "@gradstep/core/interop";
import type { serialization } from "@tensorflow/tfjs-core";
import { lazyTensor } from "./lazy-tensor.js";
import { GradstepOptimizer } from "./optimizer.js";
import type { NamedTensor } from "./gradients.js";

/**
 * One of TF.js's optimizers: its name in saved models, and what its configuration calls our hyperparameters. A model
 * that is saved here loads in plain TF.js, and the other way round.
 */
interface TfjsKind {
  readonly className: string;
  /** TF.js's name of a hyperparameter → ours. */
  readonly hyperparameters: Readonly<Record<string, string>>;
  /** Options, which never change, by TF.js's name. */
  readonly options?: readonly string[];
}

const betas = { learningRate: "learningRate", beta1: "beta1", beta2: "beta2", epsilon: "epsilon" };

/** By the name that `fromTfjs` takes, which is the name in `tf.train`. */
const kinds = {
  sgd: { className: "SGD", hyperparameters: { learningRate: "learningRate" } },
  momentum: {
    className: "Momentum",
    hyperparameters: { learningRate: "learningRate", momentum: "momentum" },
    options: ["useNesterov"],
  },
  adagrad: {
    className: "Adagrad",
    hyperparameters: {
      learningRate: "learningRate",
      initialAccumulatorValue: "initialAccumulatorValue",
    },
  },
  rmsprop: {
    className: "RMSProp",
    hyperparameters: {
      learningRate: "learningRate",
      decay: "rho",
      momentum: "momentum",
      epsilon: "epsilon",
    },
    options: ["centered"],
  },
  adam: { className: "Adam", hyperparameters: betas },
  adamax: {
    className: "Adamax",
    hyperparameters: { ...betas, decay: "learningRateDecay" },
  },
} as const satisfies Record<string, TfjsKind>;

/** Names in `tf.train` that have a counterpart here; `adadelta` has none. */
export type TfjsName = keyof typeof kinds;

/** All of them. */
export const tfjsNames: readonly TfjsName[] = Object.keys(kinds) as TfjsName[];

/** Settings under TF.js's own names; null and undefined stand for TF.js's default. */
type TfjsSettings = Readonly<Record<string, unknown>>;

/**
 * An optimizer with TF.js's numbers, TF.js's names for its hyperparameters beside ours, and TF.js's form in saved
 * models.
 */
class TfjsOptimizer extends GradstepOptimizer {
  readonly #kind: TfjsKind;
  readonly #options: Readonly<Record<string, unknown>>;

  constructor(name: TfjsName, settings: TfjsSettings) {
    const given = Object.entries(settings).filter(([, value]) => value !== null);
    super(specOf(name, Object.fromEntries(given)));
    const kind: TfjsKind = kinds[name];
    this.#kind = kind;
    this.#options = Object.fromEntries(
      (kind.options ?? []).map((option) => [option, settings[option] === true]),
    );
    for (const [theirs, ours] of Object.entries(kind.hyperparameters)) {
      if (theirs === ours) continue;
      Object.defineProperty(this, theirs, {
        enumerable: true,
        get: () => this.#values[ours],
        set: (value: number) => {
          this.#values[ours] = value;
        },
      });
    }
  }

  get #values(): Record<string, number> {
    return this as unknown as Record<string, number>;
  }

  override getClassName(): string {
    return this.#kind.className;
  }

  override getConfig(): serialization.ConfigDict {
    const values = Object.entries(this.#kind.hyperparameters).map(([theirs, ours]) => [
      theirs,
      this.#values[ours],
    ]);
    return { ...Object.fromEntries(values), ...this.#options } as serialization.ConfigDict;
  }

  /** The same as setting `momentum`. */
  setMomentum(momentum: number): void {
    this.#values["momentum"] = momentum;
  }

  override async getWeights(): Promise<NamedTensor[]> {
    const weights = await super.getWeights();
    if (this.#kind.className !== "RMSProp" || this.#values["momentum"] !== 0) return weights;
    // TF.js's RMSprop counts on momenta being there and splits the list by their number.
    const isMean = ({ name }: NamedTensor): boolean => name.endsWith("/rms");
    const momenta = weights.filter(isMean).map(({ name, tensor }) => ({
      name: name.replace(/rms$/, "momentum"),
      tensor: lazyTensor(new Float32Array(tensor.size), tensor.shape, "float32"),
    }));
    // After `iter` and the means, as TF.js has it.
    const first = 1 + momenta.length;
    return [...weights.slice(0, first), ...momenta, ...weights.slice(first)];
  }
}

function specOf(name: TfjsName, settings: TfjsSettings): OptimizerSpec {
  // Gradient ascent by a negative rate is common in TF.js code; the error says what to use instead.
  const { learningRate } = settings;
  if (typeof learningRate === "number" && learningRate < 0) {
    throw new GradstepError(
      `tf.train.${name}: learningRate is ${learningRate}; expected 0 or more. To maximize, negate the cost.`,
      { code: "INVALID_HYPERPARAMETER" },
    );
  }
  return fromTfjs(name, settings);
}

/** The optimizer that stands for `tf.train.<name>`. @throws {GradstepError} `INVALID_HYPERPARAMETER` */
export function tfjsOptimizer(name: TfjsName, settings: TfjsSettings): GradstepOptimizer {
  return new TfjsOptimizer(name, settings);
}

/** What TF.js needs to load a model that was saved with this optimizer. */
export function serializableOf(
  name: TfjsName,
): serialization.SerializableConstructor<serialization.Serializable> {
  const { className, hyperparameters, options = [] }: TfjsKind = kinds[name];
  const known = [...Object.keys(hyperparameters), ...options];
  const make = (config: serialization.ConfigDict): GradstepOptimizer =>
    tfjsOptimizer(name, Object.fromEntries(known.map((key) => [key, config[key]])));
  const serializable = {
    className,
    fromConfig: (_: unknown, config: serialization.ConfigDict) => make(config),
  };
  return serializable as unknown as serialization.SerializableConstructor<serialization.Serializable>;
}
