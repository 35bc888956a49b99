import { useSignal } from "@preact/signals";
import { download } from "../download.js";
import { withIdleWorker } from "./idle-worker.js";
import type { Run } from "./run.js";

/** Downloads the checkpoint of a run. */
export function CheckpointDownload({ run }: { readonly run: Run }) {
  const error = useSignal<string | undefined>(undefined);
  const save = async (): Promise<void> => {
    error.value = undefined;
    try {
      const name = run.name.value;
      const saved = { name, settings: run.settings };
      const file = run.isOpen
        ? await run.file()
        : await withIdleWorker((remote) => remote.file(run.id, saved));
      if (file === undefined) error.value = "Nothing of the run is saved yet.";
      else download(`${fileName(name)}.safetensors`, "application/octet-stream", file);
    } catch (thrown) {
      error.value = thrown instanceof Error ? thrown.message : String(thrown);
    }
  };
  return (
    <>
      <button type="button" onClick={() => void save()}>
        Download checkpoint
      </button>
      {error.value !== undefined && (
        <p class="train-failure" role="alert">
          {error.value}
        </p>
      )}
    </>
  );
}

/** A name that every file system takes. */
export function fileName(name: string): string {
  const letters = name.toLowerCase().replaceAll(/[^\p{L}\p{N}.]+/gu, "-");
  return letters.replaceAll(/^[-.]+|[-.]+$/g, "") || "run";
}
