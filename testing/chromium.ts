import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { brotliDecompressSync, createBrotliDecompress } from "node:zlib";
import { chromiumPackageFolder } from "../packages/webgpu/src/node/chromium-package.js";
import { filesOfTar } from "../packages/webgpu/src/node/tar-archive.js";

/** Launch options of a browser with WebGPU. */
export interface Launch {
  readonly executablePath: string;
  readonly env?: Record<string, string>;
  readonly args: string[];
  /** Milliseconds that the browser may take to start. */
  readonly timeout: number;
}

/** Milliseconds after which a browser or page is taken to hang. Other programs use the processors, too. */
export const hangTimeout = 250_000;

/** The path of Chrome on platforms for which npm has no Chromium with a driver. */
const installed: Readonly<Record<string, string>> = {
  darwin: "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  win32: "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
  linux: "/opt/google/chrome/chrome",
};

/** What the pages need of a browser. */
export interface PageNeeds {
  /** Whether they show canvases with a WebGPU context. The emulated GPU then draws all that is shown, which takes longer. */
  readonly webgpuCanvas?: boolean;
}

/**
 * Linux x64: a headless Chromium with a software driver for WebGPU, from `@sparticuz/chromium`, unpacked once. Other
 * platforms: the installed Chrome with the machine's GPU, or undefined if there is none.
 */
export async function chromium({ webgpuCanvas = false }: PageNeeds = {}): Promise<
  Launch | undefined
> {
  const args = [
    "--enable-unsafe-webgpu",
    "--no-first-run",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ];
  if (process.platform !== "linux" || process.arch !== "x64") {
    const executablePath = installed[process.platform] ?? "";
    return existsSync(executablePath) ? { executablePath, args, timeout: hangTimeout } : undefined;
  }
  const source = chromiumPackageFolder([import.meta.url]);
  if (source === undefined) throw new Error("@sparticuz/chromium is not installed.");
  const folder = await unpack(source);
  return {
    executablePath: join(folder, "chromium"),
    timeout: hangTimeout,
    args: [
      ...args,
      "--no-sandbox",
      "--use-webgpu-adapter=swiftshader",
      // As in Node: the driver unrolls the zeroing of workgroup memory, which takes long to compile.
      "--disable-dawn-features=use_vulkan_zero_initialize_workgroup_memory_extension",
      // Without them, the first frame of a canvas with a WebGPU context ends the GPU process.
      "--enable-features=Vulkan",
      "--use-angle=vulkan",
      // The emulated GPU takes seconds per contour map, and a new page waits for those of the page before.
      "--disable-accelerated-2d-canvas",
      ...(webgpuCanvas ? [] : ["--disable-gpu-compositing"]),
    ],
    env: {
      ...(process.env as Record<string, string>),
      LD_LIBRARY_PATH: join(folder, "al2023", "lib"),
      FONTCONFIG_FILE: join(folder, "fonts.conf"),
      VK_ICD_FILENAMES: join(folder, "vk_swiftshader_icd.json"),
    },
  };
}

/** Its own fonts first, so that pages look the same on all machines; then DejaVu, where the system has it, for symbols. */
function fontConfiguration(folder: string): string {
  return `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${join(folder, "fonts")}</dir>
  <dir>/usr/share/fonts/truetype/dejavu</dir>
  <cachedir>${join(folder, "font-cache")}</cachedir>
  <alias><family>sans-serif</family><prefer><family>Open Sans</family></prefer></alias>
  <alias><family>system-ui</family><prefer><family>Open Sans</family></prefer></alias>
  <alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
</fontconfig>
`;
}

async function unpack(source: string): Promise<string> {
  const folder = join(source, ".chromium-unpacked");
  if (existsSync(folder)) return folder;
  // Another process may be doing the same, so the folder gets its name when it is complete.
  const draft = `${folder}-${process.pid}`;
  const bin = join(source, "bin");
  for (const [archive, target] of [
    ["swiftshader", "."],
    ["al2023", "al2023"],
    ["fonts", "fonts"],
  ]) {
    const bytes = brotliDecompressSync(readFileSync(join(bin, `${archive}.tar.br`)));
    for (const file of filesOfTar(bytes)) {
      const path = join(draft, target, file.name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, file.bytes, { mode: 0o755 });
    }
  }
  await pipeline(
    createReadStream(join(bin, "chromium.br")),
    createBrotliDecompress(),
    createWriteStream(join(draft, "chromium"), { mode: 0o755 }),
  );
  writeFileSync(join(draft, "fonts.conf"), fontConfiguration(folder));
  try {
    renameSync(draft, folder);
  } catch {
    rmSync(draft, { recursive: true, force: true });
  }
  return folder;
}
