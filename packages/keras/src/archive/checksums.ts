const signatures = { entry: 0x02014b50, end: 0x06054b50 };

/** The length of the record at the end of an archive, without its comment, which has at most 2¹⁶ − 1 bytes. */
const endLength = 22;
const maxComment = 0xffff;

/**
 * The checksums that an archive has of its entries, by name; those of an archive in the ZIP64 format are left out.
 * @throws {RangeError} for an archive that was cut
 */
export function checksumsOf(bytes: Uint8Array): ReadonlyMap<string, number> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const checksums = new Map<string, number>();
  let end = bytes.length - endLength;
  while (view.getUint32(end, true) !== signatures.end) {
    end -= 1;
    if (end < bytes.length - endLength - maxComment) return checksums;
  }
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  for (let i = 0; i < count && at < bytes.length; i += 1) {
    if (view.getUint32(at, true) !== signatures.entry) break;
    const length = view.getUint16(at + 28, true);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + length));
    checksums.set(name, view.getUint32(at + 16, true));
    at += 46 + length + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return checksums;
}

const table = /* @__PURE__ */ Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
  return value;
});

/** The CRC-32 that zip archives use: ISO 3309. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ table[(crc ^ byte) & 0xff];
  return (crc ^ 0xffffffff) >>> 0;
}
