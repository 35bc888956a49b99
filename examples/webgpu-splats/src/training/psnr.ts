/** The peak signal-to-noise ratio in dB of the colors of RGBA images whose values are between 0 and 1. */
export function psnr(images: Float32Array, targets: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < images.length; i += 1) {
    if (i % 4 !== 3) sum += (images[i] - targets[i]) ** 2;
  }
  return -10 * Math.log10(sum / (images.length * 0.75));
}
