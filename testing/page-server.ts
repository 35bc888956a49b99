import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { build } from "esbuild";

/** Serves an empty page that runs one program, from an origin that is a secure context. */
export class PageServer {
  readonly #server: Server;
  /** The address of the page. */
  readonly address: string;
  readonly origin: string;

  private constructor(server: Server) {
    this.#server = server;
    this.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.address = `${this.origin}/`;
  }

  /** `program`: the path of a TypeScript module, which is bundled. */
  static async start(program: string): Promise<PageServer> {
    const { outputFiles } = await build({
      entryPoints: [program],
      bundle: true,
      format: "esm",
      write: false,
    });
    const server = createServer((request, response) => {
      if (request.url === "/program.js")
        response.writeHead(200, { "content-type": "text/javascript" }).end(outputFiles[0].text);
      else
        response
          .writeHead(200, { "content-type": "text/html" })
          .end(`<!doctype html><script type="module" src="/program.js"></script>`);
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    return new PageServer(server);
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
