import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { dirname, extname, join, resolve } from "node:path";
import type { Browser, Page } from "playwright";
import { hangTimeout } from "../../../testing/chromium.js";
import { runCommand } from "../../../scripts/rehearsal/command.js";
import type { Block } from "./page-blocks.js";

/**
 * Stands in for other hosts: the path of the file that an address has, or undefined for a request that must not be
 * made.
 */
export type OtherHosts = (address: string, project: string) => Promise<string | undefined>;

const types: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".wasm": "application/wasm",
};

/** A new folder in which somebody follows a page to the letter. */
export class FreshProject {
  readonly #env: NodeJS.ProcessEnv;
  readonly #browser: Browser;
  readonly #otherHosts: OtherHosts;
  #cwd: string;
  #printed = "";
  /** The address of the development server. */
  #address: string | undefined;
  /** The page that was written last, which is opened if no such server runs. */
  #lastPage: string | undefined;
  readonly #ends: (() => void)[] = [];

  constructor(
    folder: string,
    env: NodeJS.ProcessEnv,
    browser: Browser,
    otherHosts: OtherHosts = () => Promise.resolve(undefined),
  ) {
    this.#cwd = folder;
    this.#env = env;
    this.#browser = browser;
    this.#otherHosts = otherHosts;
  }

  /** The folder in which the last command ran. */
  get folder(): string {
    return this.#cwd;
  }

  /** Does what the blocks say. Resolves with what was printed or shown otherwise than they say. */
  async follow(blocks: readonly Block[]): Promise<string[]> {
    const faults: string[] = [];
    try {
      for (const block of blocks) {
        if (block.kind === "file") this.#write(block.path, block.text);
        else if (block.kind === "commands") await this.#run(block.text.trim());
        else if (this.#address === undefined && this.#lastPage === undefined)
          faults.push(...this.#faultsOfOutput(block.text));
        else faults.push(...(await this.#faultsOfPage(block.text)));
      }
    } finally {
      for (const end of this.#ends.splice(0)) end();
    }
    return faults;
  }

  #write(path: string, text: string): void {
    const file = join(this.#cwd, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    if (extname(path) === ".html") {
      this.#lastPage = path;
      this.#address = undefined;
    }
  }

  async #run(commands: string): Promise<void> {
    if (commands === "npx vite") {
      this.#address = await this.#start(commands);
      return;
    }
    // The folder may change: the last line says which it is then.
    const script = `set -e\n${commands}\npwd`;
    const options = { cwd: this.#cwd, env: this.#env, timeout: 300_000 };
    const lines = (await runCommand("sh", ["-c", script], options)).trimEnd().split("\n");
    this.#cwd = lines.at(-1)!;
    this.#printed = lines.slice(0, -1).join("\n");
  }

  #faultsOfOutput(text: string): string[] {
    // What npm and TensorFlow.js say before is not the program's.
    return this.#printed.trimEnd().endsWith(text) ? [] : [`It printed: ${this.#printed}`];
  }

  /** Runs a server in the folder as long as it is used. @param command prints its address after `Local:` */
  async withServer<T>(command: string, use: (address: string) => Promise<T>): Promise<T> {
    try {
      return await use(await this.#start(command));
    } finally {
      for (const end of this.#ends.splice(0)) end();
    }
  }

  async #start(command: string): Promise<string> {
    const server: ChildProcess = spawn("sh", ["-c", command], {
      cwd: this.#cwd,
      env: this.#env,
      detached: true,
    });
    this.#ends.push(() => {
      // The shell and what it has started.
      if (server.pid !== undefined && server.exitCode === null) process.kill(-server.pid);
    });
    return new Promise((done, reject) => {
      let text = "";
      const read = (chunk: Buffer): void => {
        text += chunk.toString();
        const [, address] = /Local: +(http:\S+)/.exec(text) ?? [];
        if (address !== undefined) done(address);
      };
      server.stdout!.on("data", read);
      server.stderr!.on("data", read);
      server.on("exit", (status) => {
        reject(new Error(`${command} ended with exit status ${status}.\n${text}`));
      });
    });
  }

  /** A server of the folder. */
  async #serve(): Promise<string> {
    const folder = resolve(this.#cwd);
    const server = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? "/", "http://localhost");
      readFile(join(folder, pathname)).then(
        (bytes) => {
          const type = types[extname(pathname)] ?? "application/octet-stream";
          response.writeHead(200, { "content-type": type }).end(bytes);
        },
        () => response.writeHead(pathname === "/favicon.ico" ? 204 : 404).end(),
      );
    });
    await new Promise<void>((listening) => {
      server.listen(0, "127.0.0.1", listening);
    });
    this.#ends.push(() => server.close());
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/${this.#lastPage}`;
  }

  async #faultsOfPage(text: string): Promise<string[]> {
    return this.faultsOfPage(this.#address ?? (await this.#serve()), text);
  }

  /** What is wrong with a page that has to show a text. */
  async faultsOfPage(address: string, text: string): Promise<string[]> {
    const page: Page = await this.#browser.newPage();
    page.setDefaultTimeout(hangTimeout);
    try {
      const faults: string[] = [];
      page.on("pageerror", (error) => faults.push(String(error)));
      await page.route("**", async (route) => {
        const url = route.request().url();
        if (url.startsWith(new URL(address).origin)) {
          await route.continue();
          return;
        }
        const path = await this.#otherHosts(url, this.#cwd);
        if (path === undefined) {
          faults.push(`request to ${url}`);
          await route.abort();
        } else
          await route.fulfill({
            path,
            contentType: "text/javascript",
            headers: { "access-control-allow-origin": "*" },
          });
      });
      await page.goto(address);
      const shown = page.waitForFunction(
        (wanted) => document.body.innerText.includes(wanted),
        text,
        { timeout: hangTimeout },
      );
      await shown.catch(async () => {
        faults.push(`The page says: ${await page.innerText("body")}`);
      });
      return faults;
    } finally {
      await page.close();
    }
  }
}
