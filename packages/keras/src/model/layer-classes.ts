/*
 * What a weights file does not say about Keras's own layers: how their variables are called, and in which order a layer
 * has its sublayers. Classes are written as in the paths of a file: `dense` for `Dense`.
 */

const kernelAndBias = ["kernel", "bias"];
const gammaAndBeta = ["gamma", "beta"];
const recurrent = ["kernel", "recurrent_kernel", "bias"];
const separable = ["depthwise_kernel", "pointwise_kernel", "bias"];
const batchStatistics = ["moving_mean", "moving_variance"];

/** Names of variables in the order of the file. A layer may lack the last ones, such as the bias. */
const variableNames: Readonly<Record<string, readonly string[]>> = {
  dense: kernelAndBias,
  einsum_dense: kernelAndBias,
  embedding: ["embeddings"],
  layer_normalization: gammaAndBeta,
  group_normalization: gammaAndBeta,
  rms_normalization: ["scale"],
  p_re_lu: ["alpha"],
  lstm_cell: recurrent,
  gru_cell: recurrent,
  simple_rnn_cell: recurrent,
  ...Object.fromEntries(
    ["1d", "2d", "3d"].flatMap((dimensions) => [
      [`conv${dimensions}`, kernelAndBias],
      [`conv${dimensions}_transpose`, kernelAndBias],
      [`depthwise_conv${dimensions}`, kernelAndBias],
      [`separable_conv${dimensions}`, separable],
    ]),
  ),
};

/** Sublayers in the order of their variables, by class: the attribute, and the class of what is there. */
const sublayers: Readonly<Record<string, readonly (readonly [string, string | undefined])[]>> = {
  multi_head_attention: ["query", "key", "gate", "value", "output"].map((one) => [
    `${one}_dense`,
    "einsum_dense",
  ]),
  lstm: [["cell", "lstm_cell"]],
  gru: [["cell", "gru_cell"]],
  simple_rnn: [["cell", "simple_rnn_cell"]],
  bidirectional: [
    ["forward_layer", undefined],
    ["backward_layer", undefined],
  ],
};

/** A variable of a layer, as its class says. */
export interface KnownVariable {
  readonly name: string;
  readonly isTrainable: boolean;
}

/**
 * The variables of a layer of this class with this number of variables; undefined if that cannot be told.
 * @param config the layer's own configuration, if there is one
 */
export function knownVariables(
  className: string | undefined,
  count: number,
  config: Readonly<Record<string, unknown>> = {},
): readonly KnownVariable[] | undefined {
  if (className === undefined || count === 0) return undefined;
  const trainable = (names: readonly string[]): KnownVariable[] =>
    names.map((name) => ({ name, isTrainable: true }));
  const { scale, center } = config;
  /** Gamma and beta, where the configuration says that one is missing. */
  const present = (names: readonly string[]): readonly string[] =>
    names.filter((name) => !(name === "gamma" ? scale === false : center === false));
  if (className === "batch_normalization") {
    const rest = count - batchStatistics.length;
    const names = rest === 2 ? gammaAndBeta : present(gammaAndBeta);
    if (rest !== 0 && names.length !== rest) return undefined;
    const statistics = batchStatistics.map((name) => ({ name, isTrainable: false }));
    return [...trainable(rest === 0 ? [] : names), ...statistics];
  }
  const all = Object.hasOwn(variableNames, className) ? variableNames[className] : undefined;
  if (all === undefined) return undefined;
  const names = all === gammaAndBeta && count < 2 ? present(all) : all;
  // Without a configuration, one variable of a normalization may be either.
  if (names.length < count || (all === gammaAndBeta && names.length !== count)) return undefined;
  return trainable(names.slice(0, count));
}

/** The place of a sublayer among those of its layer, and its class; undefined if the class of the layer does not say. */
export function knownSublayer(
  className: string | undefined,
  attribute: string,
): { readonly rank: number; readonly className: string | undefined } | undefined {
  const known =
    className !== undefined && Object.hasOwn(sublayers, className) ? sublayers[className] : [];
  const rank = known.findIndex(([name]) => name === attribute);
  return rank < 0 ? undefined : { rank, className: known[rank][1] };
}

/** The name that Keras makes of a class for a path: `Conv2DTranspose` gives `conv2d_transpose`. */
export function pathName(className: string): string {
  return className
    .replaceAll(/\W+/g, "")
    .replaceAll(/(.)([A-Z][a-z]+)/g, "$1_$2")
    .replaceAll(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase();
}
