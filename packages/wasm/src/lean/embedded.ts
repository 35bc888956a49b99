/** The module whose bytes these are, in hexadecimal: that compresses better than base64, in which bytes are not aligned. */
export function embedded(hex: string): WebAssembly.Module {
  const bytes = Uint8Array.from({ length: hex.length / 2 }, (_, i) =>
    Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16),
  );
  return new WebAssembly.Module(bytes);
}
