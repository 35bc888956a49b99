import { fileURLToPath } from "node:url";
import { preview } from "vite";
import { crossOriginIsolation } from "../src/headers.mjs";

/**
 * Serves `dist` on 127.0.0.1, cross-origin isolated.
 * @param {{ port?: number, open?: boolean }} [options] `port` 0, the default, takes a free one
 */
export async function serveSite({ port = 0, open = false } = {}) {
  const server = await preview({
    root: fileURLToPath(new URL("..", import.meta.url)),
    configFile: false,
    logLevel: "error",
    appType: "mpa",
    preview: { host: "127.0.0.1", port, open, headers: crossOriginIsolation },
  });
  const address = server.resolvedUrls?.local[0] ?? "";
  return { address, close: () => server.close() };
}
