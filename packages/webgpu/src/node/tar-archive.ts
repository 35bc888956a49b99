/** A file in an archive. */
interface ArchivedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const blockSize = 512;

/** The regular files of a tar archive (POSIX ustar), in its order. */
export function filesOfTar(archive: Uint8Array): ArchivedFile[] {
  const files: ArchivedFile[] = [];
  let header = 0;
  while (header + blockSize <= archive.length && archive[header] !== 0) {
    const size = Number.parseInt(textAt(archive, header + 124, 12), 8);
    const type = archive[header + 156];
    const start = header + blockSize;
    // Regular files have type 0 or "0".
    if (type === 0 || type === 0x30) {
      const name = textAt(archive, header, 100).replace(/^\.\//, "");
      files.push({ name, bytes: archive.subarray(start, start + size) });
    }
    header = start + Math.ceil(size / blockSize) * blockSize;
  }
  return files;
}

/** A text that ends at a zero byte. */
function textAt(bytes: Uint8Array, start: number, maxLength: number): string {
  let end = start;
  while (end < start + maxLength && bytes[end] !== 0) end += 1;
  return new TextDecoder().decode(bytes.subarray(start, end));
}
