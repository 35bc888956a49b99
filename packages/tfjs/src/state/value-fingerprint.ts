/** Two 32-bit hashes of a variable's values: equal for equal bits, and different for others but for chance. */
export type Fingerprint = readonly [number, number];

/** The fingerprint of some values. */
export function fingerprintOf(values: Float32Array): Fingerprint {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  let [a, b] = [0x811c9dc5 | 0, 0x9747b28c | 0];
  for (let i = 0; i < bits.length; i += 1) {
    a = Math.imul(a ^ bits[i], 0x01000193);
    b = Math.imul(b ^ (b >>> 15) ^ bits[i], 0x5bd1e995);
  }
  return [a, b];
}

/** Whether two fingerprints are equal. */
export function isSameFingerprint(a: Fingerprint, b: Fingerprint): boolean {
  return a[0] === b[0] && a[1] === b[1];
}
