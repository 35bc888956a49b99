import { GradstepError } from "@gradstep/core";
import type { SafetensorsSource } from "../../safetensors/index.js";

/**
 * Does nothing unless the source starts as the files of `torch.save` do: as a zip archive, or as a pickle.
 *
 * @param cause the error of the safetensors codec
 * @throws {GradstepError} `INVALID_FILE`
 */
export async function rejectPickle(source: SafetensorsSource, cause: unknown): Promise<void> {
  const [first, second, third] = await firstBytes(source);
  const isZip = first === 0x50 && second === 0x4b && third === 0x03;
  const isPickle = first === 0x80 && second >= 2 && second <= 5;
  if (!isZip && !isPickle) return;
  throw new GradstepError(
    "Got a file of torch.save, a pickle, which can run any code when it is read; expected a safetensors file. Load it in PyTorch, and save it with save() of scripts/bridges/torch_checkpoint.py.",
    { code: "INVALID_FILE", cause },
  );
}

async function firstBytes(source: SafetensorsSource): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source.subarray(0, 3);
  if (source instanceof ArrayBuffer) return new Uint8Array(source).subarray(0, 3);
  // Something else, such as a path: the codec's error says what it takes.
  if (typeof (source as Partial<typeof source> | undefined)?.stream !== "function")
    return new Uint8Array(0);
  const bytes: number[] = [];
  const reader = source.stream().getReader();
  try {
    while (bytes.length < 3) {
      const { done, value } = await reader.read();
      if (done) break;
      bytes.push(...value.subarray(0, 3 - bytes.length));
    }
  } finally {
    await reader.cancel();
  }
  return Uint8Array.from(bytes);
}
