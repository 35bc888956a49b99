import { GradstepError, show } from "@gradstep/core";
import type { FileSystem, OpenFile } from "./file-system.js";
import { attempt, storeError } from "./store-error.js";

const chunkSize = 2 ** 20;

/** The first `size` bytes of a file. It is opened by the first read, and closed at the end, by `cancel` and by an error. */
export function fileStream(
  fileSystem: FileSystem,
  path: string,
  size: number,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let file: OpenFile | undefined;
  let position = 0;

  async function close(): Promise<void> {
    const open = file;
    file = undefined;
    await open?.close();
  }

  async function nextChunk(): Promise<Uint8Array<ArrayBuffer>> {
    const chunk = new Uint8Array(Math.min(chunkSize, size - position));
    file ??= await fileSystem.open(path, "r");
    for (let filled = 0; filled < chunk.length;) {
      const rest = chunk.length - filled;
      const { bytesRead } = await file.read(chunk, filled, rest, position);
      if (bytesRead === 0)
        throw new GradstepError(
          `${show(path)} ended after ${position} bytes; expected ${size}. Another program has shortened it: use an older checkpoint.`,
          { code: "STORE_FAILED" },
        );
      filled += bytesRead;
      position += bytesRead;
    }
    return chunk;
  }

  return new ReadableStream(
    {
      async pull(controller) {
        try {
          if (position < size) controller.enqueue(await nextChunk());
          if (position < size) return;
          await close();
          controller.close();
        } catch (cause) {
          await close().catch(() => {});
          throw storeError(cause, "read the checkpoint", path);
        }
      },
      cancel: () => attempt("close the checkpoint", path, close),
    },
    // Otherwise a stream that nobody reads would open the file.
    { highWaterMark: 0 },
  );
}
