import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { preview } from "vite";
import { crossOriginIsolation } from "../src/headers.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * Answers what no file has with the folder's `404.html`, as hosts of static sites do.
 * @param {string} folder
 * @returns {import("vite").Plugin}
 */
function notFoundPage(folder) {
  const files = resolve(root, folder);
  return {
    name: "not-found-page",
    configurePreviewServer: (server) => () => {
      server.middlewares.use((request, response, next) => {
        // Vite has put the file's name into the address of a page that exists, and sends it after this.
        const { pathname } = new URL(request.url ?? "", "http://127.0.0.1");
        if (pathname.endsWith(".html") && existsSync(join(files, pathname))) {
          next();
          return;
        }
        const page = join(files, "404.html");
        if (!existsSync(page)) {
          next();
          return;
        }
        response.statusCode = 404;
        for (const [name, value] of Object.entries(crossOriginIsolation))
          response.setHeader(name, value);
        response.setHeader("content-type", "text/html; charset=utf-8");
        response.end(readFileSync(page));
      });
    },
  };
}

/**
 * Serves a folder on 127.0.0.1, cross-origin isolated.
 * @param {{ port?: number, open?: boolean, folder?: string }} [options] `port` 0, the default, takes a free one;
 *   `folder` is `dist` by default
 */
export async function serveSite({ port = 0, open = false, folder = "dist" } = {}) {
  const server = await preview({
    root,
    configFile: false,
    logLevel: "error",
    appType: "mpa",
    plugins: [notFoundPage(folder)],
    build: { outDir: folder },
    preview: { host: "127.0.0.1", port, open, headers: crossOriginIsolation },
  });
  const address = server.resolvedUrls?.local[0] ?? "";
  return { address, close: () => server.close() };
}
