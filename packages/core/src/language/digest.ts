/** A hash of a text as 16 hexadecimal digits. */
export function digest(text: string): string {
  return hash(text, 0x811c9dc5) + hash(text, 0x01000193);
}

/** 32-bit FNV-1a over UTF-16 code units, as 8 hexadecimal digits. */
function hash(text: string, seed: number): string {
  let h = seed;
  for (let i = 0; i < text.length; i += 1) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return (h >>> 0).toString(16).padStart(8, "0");
}
