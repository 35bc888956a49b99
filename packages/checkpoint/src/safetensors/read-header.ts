import { GradstepError } from "@gradstep/core";
import { platformClass } from "../platform-class.js";
import { maxHeaderLength, parseHeader, type SafetensorsHeader } from "./header.js";

/** The start of a file, as read. */
export interface Head {
  readonly header: SafetensorsHeader;
  /** The blocks that hold the header. The last one can go on with data. */
  readonly blocks: readonly Uint8Array<ArrayBuffer>[];
}

/**
 * Reads blocks up to the end of the header, and checks it.
 * @param size bytes of the file
 * @throws {GradstepError} `INVALID_FILE`
 */
export async function readHead(
  blocks: AsyncIterator<Uint8Array<ArrayBuffer>, void, undefined>,
  size: number,
): Promise<Head> {
  if (size < 8) throw invalid(`The file has ${size} bytes; expected at least 8`);
  const read: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  const readUpTo = async (end: number): Promise<void> => {
    while (length < end) {
      const next = await blocks.next();
      if (next.done === true) return;
      read.push(next.value);
      length += next.value.length;
    }
  };
  await readUpTo(8);
  const dataStart = 8 + headerLength(read, size);
  await readUpTo(dataStart);
  return { header: parseHeader(headerText(read, dataStart), dataStart, size), blocks: read };
}

function headerText(blocks: readonly Uint8Array[], dataStart: number): string {
  const decoder = new (platformClass("TextDecoder"))("utf-8", { fatal: true, ignoreBOM: true });
  let text = "";
  let position = 0;
  try {
    for (const block of blocks) {
      const bytes = block.subarray(Math.max(0, 8 - position), dataStart - position);
      text += decoder.decode(bytes, { stream: true });
      position += block.length;
    }
    return text + decoder.decode();
  } catch (cause) {
    throw invalid("The header is not UTF-8; expected JSON", cause);
  }
}

/** The number in the first 8 bytes, which can be in two blocks if the file is short. */
function headerLength(blocks: readonly Uint8Array[], size: number): number {
  const bytes = Uint8Array.from(blocks.slice(0, 2).flatMap((block) => [...block.subarray(0, 8)]));
  const view = new DataView(bytes.buffer);
  const length = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32;
  if (length > maxHeaderLength)
    throw invalid(`The header has ${length} bytes; expected at most ${maxHeaderLength}`);
  if (8 + length > size)
    throw invalid(`The header has ${length} bytes; expected at most ${size - 8}, as the file ends`);
  return length;
}

function invalid(message: string, cause?: unknown): GradstepError {
  return new GradstepError(`${message}. The file is damaged, or not a safetensors file.`, {
    code: "INVALID_FILE",
    cause,
  });
}
