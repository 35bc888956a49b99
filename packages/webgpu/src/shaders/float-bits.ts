const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

/** The bits of a number as an f32, as a word of a table. */
export function floatBits(value: number): number {
  float[0] = value;
  return word[0];
}
