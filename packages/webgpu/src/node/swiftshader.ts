import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { filesOf } from "./tar-archive.js";

/** `RTLD_NODELETE` of glibc: Node closes what is no addon of its own; this keeps it loaded. */
const keepLoaded = 0x1000;

/**
 * Puts SwiftShader, a Vulkan driver in software, where Dawn finds it, for this process; returns what is in the way, if
 * anything is. It comes with `@sparticuz/chromium`, as does the Vulkan loader, and is unpacked once.
 *
 * Dawn loads `libvulkan.so.1` by name, which the dynamic linker looks for in LD_LIBRARY_PATH as it was when the process
 * started; but a library of that name that is loaded already is found first, wherever it lies.
 */
export function useSwiftShader(): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64")
    return `there is none for ${process.platform} ${process.arch}`;
  const folder = packageFolder();
  if (folder === undefined) return "the package @sparticuz/chromium is not installed";
  const driver = unpack(folder);
  process.env.VK_ICD_FILENAMES = join(driver, "vk_swiftshader_icd.json");
  return load(join(driver, "libvulkan.so.1"));
}

/** Whether the dynamic linker finds a Vulkan loader by itself. Dawn would complain on the terminal where it does not. */
export function hasVulkan(): boolean {
  return load("libvulkan.so.1") === undefined;
}

/** Loads a library that is no addon of Node's; returns what is in the way. */
function load(library: string): string | undefined {
  try {
    process.dlopen({ exports: {} }, library, constants.dlopen.RTLD_NOW | keepLoaded);
  } catch (error) {
    // It is loaded by the time Node finds that it is no addon.
    if (!String(error).includes("did not self-register")) return String(error);
  }
  return undefined;
}

function packageFolder(): string | undefined {
  try {
    const entry = createRequire(import.meta.url).resolve("@sparticuz/chromium");
    return join(dirname(entry), "..");
  } catch {
    return undefined;
  }
}

/** Unpacks the driver into a folder beside the package, unless that was done; returns the folder. */
function unpack(folder: string): string {
  const driver = join(folder, ".swiftshader");
  if (existsSync(driver)) return driver;
  // Under another name first: another process may be doing the same.
  const draft = `${driver}-${process.pid}`;
  mkdirSync(draft, { recursive: true });
  const archive = brotliDecompressSync(readFileSync(join(folder, "bin", "swiftshader.tar.br")));
  for (const { name, bytes } of filesOf(archive)) {
    if (/^(?:libvulkan|libvk_swiftshader|vk_swiftshader)/.test(name))
      writeFileSync(join(draft, name), bytes, { mode: 0o755 });
  }
  try {
    renameSync(draft, driver);
  } catch {
    rmSync(draft, { recursive: true, force: true });
  }
  return driver;
}
