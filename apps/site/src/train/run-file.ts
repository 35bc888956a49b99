import {
  decodeCheckpoint,
  encodeCheckpoint,
  newestCheckpoint,
  type CheckpointStore,
} from "@gradstep/checkpoint";
import type { NamedSettings } from "./comparisons.js";
import { settingsFromUrl, settingsToUrl } from "./url-settings.js";

/**
 * The newest checkpoint of a run as a safetensors file that also has its name and settings; undefined if nothing is saved.
 */
export async function runFile(
  store: CheckpointStore,
  { name, settings }: NamedSettings,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const found = await newestCheckpoint(store);
  if (found === undefined) return undefined;
  const { checkpoint } = found;
  const run = { name, settings: withoutUndefined(settingsToUrl(settings)) };
  const others = { ...checkpoint.others, run };
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for await (const chunk of encodeCheckpoint({ ...checkpoint, others }))
    chunks.push(Uint8Array.from(chunk));
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

/**
 * Puts the checkpoint of such a file into a store, from where a run of the returned settings goes on with the same bits.
 * @throws {GradstepError} `INVALID_FILE`, `UNSUPPORTED`, `STORE_FAILED`, `OUT_OF_SPACE`
 * @throws {TypeError} for a checkpoint of another program
 */
export async function storeRunFile(
  file: Uint8Array,
  store: CheckpointStore,
): Promise<NamedSettings> {
  const { others, ...checkpoint } = await decodeCheckpoint(file);
  const { run, ...rest } = others;
  const { name, settings } = (run ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof name !== "string" || typeof settings !== "object" || settings === null)
    throw new TypeError(
      "The file is a checkpoint of another program; expected one that was downloaded from this page.",
    );
  const texts = Object.entries(settings).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  await store.write(encodeCheckpoint({ ...checkpoint, others: rest }));
  return { name, settings: settingsFromUrl(Object.fromEntries(texts)).state };
}

function withoutUndefined(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}
