import { useSignal } from "@preact/signals";
import { withIdleWorker } from "./idle-worker.js";
import type { RunList } from "./run-list.js";

/** Adds a run from the file of a checkpoint, to be continued. */
export function CheckpointLoader({ list }: { readonly list: RunList }) {
  const error = useSignal<string | undefined>(undefined);
  const load = async (file: File): Promise<void> => {
    error.value = undefined;
    const id = crypto.randomUUID();
    try {
      const bytes = new Uint8Array(await file.arrayBuffer());
      const { name, settings } = await withIdleWorker((remote) => remote.storeFile(id, bytes));
      await list.addSaved(id, name, settings);
      list.announcement.value = `${name} was loaded and is paused.`;
    } catch (thrown) {
      error.value = thrown instanceof Error ? thrown.message : String(thrown);
    }
  };
  return (
    <div class="train-load">
      <label>
        Load a checkpoint{" "}
        <input
          type="file"
          accept=".safetensors"
          onChange={(event) => {
            const input = event.currentTarget;
            const [file] = input.files ?? [];
            // The same file can be chosen again.
            if (file !== undefined) void load(file).finally(() => (input.value = ""));
          }}
        />
      </label>
      {error.value !== undefined && (
        <p class="train-failure" role="alert">
          {error.value}
        </p>
      )}
    </div>
  );
}
