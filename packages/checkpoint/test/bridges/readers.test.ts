import { readFileSync } from "node:fs";
import { cpuJs } from "@gradstep/cpu-js";
import { describe, expect, test } from "vitest";
import { readOptax } from "../../src/bridges/optax/index.js";
import { readTorch } from "../../src/bridges/torch/index.js";
import { checkpointer, decodeCheckpoint, memoryStore } from "../../src/index.js";
import { makeRun } from "../checkpointer/run.js";

const fixture = (name: string): Uint8Array =>
  readFileSync(new URL(`../fixtures/${name}-f32.safetensors`, import.meta.url));

async function ownCheckpoint(): Promise<Blob> {
  const store = memoryStore();
  const { optimizer, parameters } = makeRun(cpuJs());
  const id = await checkpointer(optimizer, parameters, { store }).save();
  return (await store.open(id)) as Blob;
}

const files = {
  decodeCheckpoint: { name: "gradstep", source: ownCheckpoint },
  readTorch: { name: "PyTorch", source: () => fixture("torch/adamw") },
  readOptax: { name: "Optax", source: () => fixture("optax/adamw") },
};
const readers = { decodeCheckpoint, readTorch, readOptax };
type Reader = keyof typeof readers;
const names = Object.keys(readers) as Reader[];

describe.each(names)("%s", (reader) => {
  test.each(names.filter((other) => other !== reader))(
    "names %s for a file of that reader",
    async (other) => {
      const source = await files[other].source();
      await expect(readers[reader](source)).rejects.toMatchObject({
        code: "INVALID_FILE",
        message: expect.stringMatching(
          new RegExp(
            `^The file is a checkpoint of ${files[other].name}; expected a checkpoint of ${files[reader].name}. Read it with ${other} of @gradstep/checkpoint`,
          ),
        ),
      });
    },
  );

  test("reads its own files", async () => {
    await expect(readers[reader](await files[reader].source())).resolves.toHaveProperty(
      "parameters",
    );
  });
});
