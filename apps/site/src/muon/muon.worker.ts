import { expose } from "comlink";
import {
  openBackend,
  type BackendName,
  type DisposableBackend,
} from "../backends/browser-backends.js";
import { pictureOf, type MuonPicture } from "./picture.js";
import type { MuonSettings } from "./settings.js";

/** What the page calls. */
export interface MuonWorker {
  picture(settings: MuonSettings): Promise<MuonPicture>;
}

const opened = new Map<BackendName, Promise<DisposableBackend>>();

function backendOf(name: BackendName): Promise<DisposableBackend> {
  let backend = opened.get(name);
  if (backend === undefined) {
    backend = openBackend(name);
    // A device that could not be had may be there at the next call.
    backend.catch(() => opened.delete(name));
    opened.set(name, backend);
  }
  return backend;
}

expose({
  picture: async (settings) => pictureOf(settings, await backendOf(settings.backend)),
} satisfies MuonWorker);
