import { GradstepError } from "@gradstep/core";

/** What the functions that read safetensors files expect, and where they are imported from. */
const readers = {
  decodeCheckpoint: { expected: "a checkpoint of gradstep", from: "@gradstep/checkpoint" },
  readTorch: { expected: "a checkpoint of PyTorch", from: "@gradstep/checkpoint/torch" },
  readOptax: { expected: "a checkpoint of Optax", from: "@gradstep/checkpoint/optax" },
};

/** A function that reads safetensors files. */
export type Reader = keyof typeof readers;

/**
 * Checks that a file is not one for another reader. Files whose metadata do not say what they are pass.
 * @throws {GradstepError} `INVALID_FILE`, which names the right one
 */
export function checkReader(
  reader: Reader,
  metadata: ReadonlyMap<string, string>,
  cause?: unknown,
): void {
  const right = readerOf(metadata);
  if (right === undefined || right === reader) return;
  const { expected, from } = readers[right];
  throw new GradstepError(
    `The file is ${expected}; expected ${readers[reader].expected}. Read it with ${right} of ${from}.`,
    { code: "INVALID_FILE", cause },
  );
}

function readerOf(metadata: ReadonlyMap<string, string>): Reader | undefined {
  const format = metadata.get("format");
  if (format === "gradstep") return "decodeCheckpoint";
  if (format === "optax") return "readOptax";
  // Other files of PyTorch have this format, too.
  return format === "pt" && metadata.has("optimizer") ? "readTorch" : undefined;
}
