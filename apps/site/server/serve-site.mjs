import { fileURLToPath } from "node:url";
import { preview } from "vite";
import { crossOriginIsolation } from "../src/headers.mjs";

/**
 * Serves a folder on 127.0.0.1, cross-origin isolated.
 * @param {{ port?: number, open?: boolean, folder?: string }} [options] `port` 0, the default, takes a free one;
 *   `folder` is `dist` by default
 */
export async function serveSite({ port = 0, open = false, folder = "dist" } = {}) {
  const server = await preview({
    root: fileURLToPath(new URL("..", import.meta.url)),
    configFile: false,
    logLevel: "error",
    appType: "mpa",
    build: { outDir: folder },
    preview: { host: "127.0.0.1", port, open, headers: crossOriginIsolation },
  });
  const address = server.resolvedUrls?.local[0] ?? "";
  return { address, close: () => server.close() };
}
