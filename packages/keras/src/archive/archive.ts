import { GradstepError } from "@gradstep/core";
import { unzipSync, zipSync, type UnzipFileInfo } from "fflate";
import { isOutOfMemory, outOfMemory } from "../hdf5/out-of-memory.js";
import { checksumsOf, crc32 } from "./checksums.js";

/** The files of a `.keras` archive by their names. */
export type Archive = ReadonlyMap<string, Uint8Array>;

/** The file with the weights. */
export const weightsName = "model.weights.h5";

/** The greatest size that an entry without ZIP64 has. */
const maxBytes = 2 ** 32 - 1;

/** Keras stores entries as they are. An archive that another tool has compressed may be that much larger. */
const maxExpansion = 100;

/** Whether bytes begin as a zip archive does. */
export function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4;
}

/**
 * Unpacks an archive. The sizes that it declares are checked before anything is unpacked, and its checksums afterwards.
 * @throws {GradstepError} `INVALID_FILE`, `OUT_OF_MEMORY`
 */
export function readArchive(bytes: Uint8Array): Archive {
  let left = bytes.length * maxExpansion;
  const names = new Set<string>();
  const check = ({ name, size, originalSize, compression }: UnzipFileInfo): boolean => {
    left -= originalSize;
    if (names.has(name)) invalid(`it has two entries named ${name}`);
    names.add(name);
    if (compression !== 0 && compression !== 8)
      invalid(`${name} is compressed with method ${compression}; expected 0 or 8`);
    if (compression === 0 && size !== originalSize)
      invalid(`${name} has ${size} bytes and declares ${originalSize}`);
    if (size > bytes.length || !(left >= 0))
      invalid(`${name} declares ${originalSize} bytes, in an archive of ${bytes.length}`);
    return true;
  };
  let entries: Record<string, Uint8Array>;
  try {
    entries = unzipSync(bytes, { filter: check });
    const checksums = checksumsOf(bytes);
    for (const [name, content] of Object.entries(entries)) {
      const checksum = checksums.get(name);
      if (checksum !== undefined && crc32(content) !== checksum)
        invalid(`${name} does not have its checksum; the file is damaged`);
    }
  } catch (cause) {
    if (cause instanceof GradstepError) throw cause;
    if (isOutOfMemory(cause)) throw outOfMemory("read", cause);
    throw new GradstepError(
      `The archive is damaged: ${cause instanceof Error ? cause.message : String(cause)}. Expected a .keras file.`,
      { code: "INVALID_FILE", cause },
    );
  }
  return new Map(Object.entries(entries));
}

/**
 * Packs files, uncompressed, as Keras does.
 * @throws {GradstepError} `UNSUPPORTED` from 4 GiB on
 */
export function writeArchive(archive: Archive): Uint8Array<ArrayBuffer> {
  const total = [...archive.values()].reduce((sum, { length }) => sum + length, 0);
  if (total > maxBytes) {
    throw new GradstepError(
      `The archive would have ${total} bytes; expected at most 4 GiB. Write a .weights.h5 file.`,
      { code: "UNSUPPORTED" },
    );
  }
  return zipSync(Object.fromEntries(archive), { level: 0 });
}

/** The content of a JSON file of an archive. @throws {GradstepError} `INVALID_FILE` */
export function jsonOf(archive: Archive, name: string): unknown {
  const bytes = archive.get(name);
  if (bytes === undefined) invalid(`it has no ${name}`);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as unknown;
  } catch (cause) {
    throw new GradstepError(`The archive is damaged: ${name} is not JSON.`, {
      code: "INVALID_FILE",
      cause,
    });
  }
}

function invalid(what: string): never {
  throw new GradstepError(`The archive is not a .keras file: ${what}.`, { code: "INVALID_FILE" });
}
