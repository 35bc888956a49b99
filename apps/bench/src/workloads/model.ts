type Shape = readonly number[];

/** A convolution without bias, then the scale and shift of its batch normalization. */
function convolution(kernel: Shape, outputs: number): Shape[] {
  return [kernel, [outputs], [outputs]];
}

/** An inverted residual block: expansion, depthwise convolution, projection. */
function block(inputs: number, kernel: number, outputs: number): Shape[] {
  const expanded = 6 * inputs;
  return [
    ...convolution([1, 1, inputs, expanded], expanded),
    ...convolution([kernel, kernel, expanded, 1], expanded),
    ...convolution([1, 1, expanded, outputs], outputs),
  ];
}

/** Stages as in mobile image classifiers: number of blocks, size of their filters, output channels. */
const stages = [
  { blocks: 2, kernel: 3, channels: 24 },
  { blocks: 3, kernel: 5, channels: 40 },
  { blocks: 4, kernel: 3, channels: 80 },
  { blocks: 4, kernel: 5, channels: 112 },
  { blocks: 4, kernel: 5, channels: 176 },
  { blocks: 2, kernel: 3, channels: 256 },
] as const;

/**
 * The parameters of an image classifier: 180 tensors of 16 to 792,000 values, 5.3 million in total. Two thirds of the tensors
 * are vectors.
 */
export function imageClassifier(): Shape[] {
  const shapes: Shape[] = convolution([3, 3, 3, 16], 16);
  let channels = 16;
  for (const stage of stages) {
    for (let i = 0; i < stage.blocks; i += 1) {
      shapes.push(...block(channels, stage.kernel, stage.channels));
      channels = stage.channels;
    }
  }
  const dense = (inputs: number, outputs: number): Shape[] => [[inputs, outputs], [outputs]];
  shapes.push(...dense(channels, 792), ...dense(792, 792), ...dense(792, 1000));
  return shapes;
}
