import { expect, test } from "vitest";
import { decodeSafetensors, type SafetensorsEntry } from "../../src/safetensors/index.js";
import { encoded } from "../safetensors/encoded.js";

test("a file is encoded and decoded with its digest, and a flipped bit is found", async () => {
  const data = Float32Array.from({ length: 600_000 }, (_, i) => i);
  const tensors = new Map<string, SafetensorsEntry>([
    ["w", { dtype: "F32", shape: [data.length], data }],
  ]);
  const file = await encoded(tensors, { digest: true });
  const decoded = await decodeSafetensors(new Blob([file]), { digest: "require" });
  expect(decoded.tensors.get("w")!.data.every((value, i) => value === i)).toBe(true);
  file[2_000_000] ^= 1;
  await expect(decodeSafetensors(new Blob([file]))).rejects.toMatchObject({ code: "INVALID_FILE" });
});
