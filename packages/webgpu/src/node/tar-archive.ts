/** A file in an archive. */
interface ArchivedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const block = 512;

/** The plain files of a tar archive (POSIX ustar), in its order. */
export function filesOf(archive: Uint8Array): ArchivedFile[] {
  const files: ArchivedFile[] = [];
  let at = 0;
  while (at + block <= archive.length && archive[at] !== 0) {
    const size = Number.parseInt(text(archive, at + 124, 12), 8);
    const type = archive[at + 156];
    const begin = at + block;
    // 0 and "0" are plain files.
    if (type === 0 || type === 0x30) {
      const name = text(archive, at, 100).replace(/^\.\//, "");
      files.push({ name, bytes: archive.subarray(begin, begin + size) });
    }
    at = begin + Math.ceil(size / block) * block;
  }
  return files;
}

function text(bytes: Uint8Array, from: number, length: number): string {
  let end = from;
  while (end < from + length && bytes[end] !== 0) end += 1;
  return new TextDecoder().decode(bytes.subarray(from, end));
}
