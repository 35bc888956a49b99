type Shape = readonly number[];

/** A convolution without bias and the scale and shift of the batch normalization behind it. */
function convolution(kernel: Shape, outputs: number): Shape[] {
  return [kernel, [outputs], [outputs]];
}

/** An inverted residual block: widen, filter each channel by itself, narrow. */
function block(inputs: number, kernel: number, outputs: number): Shape[] {
  const wide = 6 * inputs;
  return [
    ...convolution([1, 1, inputs, wide], wide),
    ...convolution([kernel, kernel, wide, 1], wide),
    ...convolution([1, 1, wide, outputs], outputs),
  ];
}

/** Stages as in mobile image classifiers: blocks, the side of their filters, channels that leave them. */
const stages = [
  { blocks: 2, kernel: 3, channels: 24 },
  { blocks: 3, kernel: 5, channels: 40 },
  { blocks: 4, kernel: 3, channels: 80 },
  { blocks: 4, kernel: 5, channels: 112 },
  { blocks: 4, kernel: 5, channels: 176 },
  { blocks: 2, kernel: 3, channels: 256 },
] as const;

/** An image classifier's parameters: 180 tensors of 16 to 792,000 values, 5.3 million in all, two thirds of them vectors. */
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
