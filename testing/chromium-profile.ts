import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium as playwright } from "playwright";
import { chromium, type Launch } from "./chromium.js";

/** A running browser, and how to end it as a crash of the machine's software would. */
export interface RunningChromium {
  readonly browser: Browser;
  /** Ends all processes of the browser at once (SIGKILL). */
  kill(): Promise<void>;
  /** Ends the processes that run pages (SIGKILL). */
  killRenderers(): Promise<void>;
}

/** A profile of a headless Chromium: a folder whose content outlives the browser. */
export class ChromiumProfile {
  readonly #launch: Launch;
  readonly #folder: string;
  #process: ChildProcess | undefined;

  private constructor(launch: Launch, folder: string) {
    this.#launch = launch;
    this.#folder = folder;
  }

  /** A new profile. Undefined where there is no Chromium. */
  static async create(): Promise<ChromiumProfile | undefined> {
    const launch = await chromium();
    if (launch === undefined) return undefined;
    return new ChromiumProfile(launch, await mkdtemp(join(tmpdir(), "chromium-profile-")));
  }

  /** Starts the browser. One at a time. */
  async start(): Promise<RunningChromium> {
    const { executablePath, args, env, timeout } = this.#launch;
    const process = spawn(
      executablePath,
      [...args, "--headless", "--remote-debugging-port=0", `--user-data-dir=${this.#folder}`],
      // A group of its own, so that all of its processes can be ended at once.
      { env, detached: true, stdio: ["ignore", "ignore", "pipe"] },
    );
    this.#process = process;
    const browser = await playwright.connectOverCDP(await addressOf(process), { timeout });
    return {
      browser,
      kill: () => this.#kill(),
      killRenderers: async () => {
        const session = await browser.newBrowserCDPSession();
        const { processInfo } = await session.send("SystemInfo.getProcessInfo");
        for (const { type, id } of processInfo) if (type === "renderer") signal(id);
      },
    };
  }

  async #kill(): Promise<void> {
    const process = this.#process;
    this.#process = undefined;
    if (process?.pid === undefined) return;
    const ended = new Promise((resolve) => {
      process.once("close", resolve);
    });
    signal(-process.pid);
    await ended;
  }

  /** Ends the browser and removes the folder. */
  async remove(): Promise<void> {
    await this.#kill();
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The browser writes its address to its error output. */
function addressOf(process: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    process.stderr?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const [, address] = /DevTools listening on (\S+)/.exec(text) ?? [];
      if (address !== undefined) resolve(address);
    });
    process.once("error", reject);
    process.once("close", () => {
      reject(new Error(`Chromium ended before it could be reached: ${text}`));
    });
  });
}

function signal(id: number): void {
  try {
    process.kill(id, "SIGKILL");
  } catch {
    // It has ended already.
  }
}
