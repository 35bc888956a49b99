type Shape = readonly number[];

const width = 128;
const [vocabulary, positions, blocks] = [1000, 128, 4];

/** The weights of a linear layer, and its bias. */
const linear = (inputs: number, outputs: number): Shape[] => [[inputs, outputs], [outputs]];

/** The scale and shift of a normalization. */
const normalization: readonly Shape[] = [[width], [width]];

/** A transformer's block: attention, then two layers. */
const block: readonly Shape[] = [
  ...normalization,
  ...linear(width, 3 * width),
  ...linear(width, width),
  ...normalization,
  ...linear(width, 4 * width),
  ...linear(4 * width, width),
];

/** The parameters of a small language model: 52 tensors, 0.9 million values. */
export function languageModel(): readonly Shape[] {
  return [
    [vocabulary, width],
    [positions, width],
    ...Array.from({ length: blocks }, () => block).flat(),
    ...normalization,
  ];
}
