/** Values by the names of their parameters. */
export type Weights = Readonly<Record<string, Float32Array<ArrayBuffer>>>;

/** The SHA-256 of all bits of some weights, parameter by parameter in the order of their names, as hexadecimal digits. */
export async function weightsDigest(weights: Weights): Promise<string> {
  const names = Object.keys(weights).sort();
  const bytes = await new Blob(names.map((name) => weights[name])).arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
