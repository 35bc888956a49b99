// Prints files, one JSON per line, for scripts/bridges/check_safetensors.py:
//
//     npx tsx packages/checkpoint/test/safetensors/write-files.ts COUNT SEED
//
// Malformed files with what the codec says of them, and files of random tensors with their content.
import { pipeline } from "node:stream/promises";
import { GradstepError } from "@gradstep/core";
import fc from "fast-check";
import { decodeSafetensors } from "../../src/safetensors/index.js";
import { encoded, validFiles } from "./encoded.js";
import { malformedFile, randomOf } from "./malformed-file.js";
import { metadataTexts, tensorSets } from "./tensor-sets.js";

const [count, seed] = process.argv.slice(2).map(Number);

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

async function* lines(): AsyncGenerator<string> {
  const random = randomOf(seed);
  const valid = await validFiles();
  for (let i = 0; i < count; i++) {
    const file = malformedFile(random, valid);
    let refusal: string | undefined;
    try {
      // safetensors knows nothing of the digest.
      await decodeSafetensors(file, { digest: "ignore" });
    } catch (error) {
      if (!(error instanceof GradstepError)) throw error;
      refusal = error.message;
    }
    yield `${JSON.stringify({ file: base64(file), refusal })}\n`;
  }
  const sets = fc.sample(fc.tuple(tensorSets, metadataTexts), { seed, numRuns: count / 100 });
  for (const [tensors, metadata] of sets) {
    const file = await encoded(tensors, { metadata });
    const content = [...tensors].map(([name, { dtype, shape, data }]) => ({
      name,
      dtype,
      shape,
      data: base64(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
    }));
    yield `${JSON.stringify({ file: base64(file), content, metadata: [...metadata] })}\n`;
  }
}

await pipeline(lines(), process.stdout);
