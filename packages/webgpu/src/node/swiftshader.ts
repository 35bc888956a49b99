import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { chromiumPackageFolder } from "./chromium-package.js";
import { filesOfTar } from "./tar-archive.js";

/** `RTLD_NODELETE` of glibc. Node closes libraries that are not addons; this flag keeps them loaded. */
const rtldNoDelete = 0x1000;

/**
 * Makes Dawn use SwiftShader, a Vulkan driver in software, in this process. The driver and the Vulkan loader come from
 * `@sparticuz/chromium`, and are unpacked once.
 *
 * Dawn loads `libvulkan.so.1` by name. The dynamic linker searches the LD_LIBRARY_PATH with which the process was
 * started; but a loaded library of that name takes precedence, whatever its folder.
 *
 * @returns the problem, if there is one
 */
export function loadSwiftShader(): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64")
    return `there is none for ${process.platform} ${process.arch}`;
  const folder = chromiumPackageFolder([
    // Empty in a CommonJS bundle.
    ...(import.meta.url ? [import.meta.url] : []),
    ...(process.argv[1] === undefined ? [] : [process.argv[1]]),
    join(process.cwd(), "package.json"),
  ]);
  if (folder === undefined) return "the package @sparticuz/chromium is not installed";
  try {
    const driver = unpackDriver(folder);
    process.env.VK_ICD_FILENAMES = join(driver, "vk_swiftshader_icd.json");
    return loadLibrary(join(driver, "libvulkan.so.1"));
  } catch (error) {
    return `the driver in ${folder} cannot be unpacked (${String(error).split("\n")[0]})`;
  }
}

/** Whether the dynamic linker finds a Vulkan loader. Dawn prints a warning if it does not. */
export function hasVulkanLoader(): boolean {
  return loadLibrary("libvulkan.so.1") === undefined;
}

/** Loads a library that is not an addon of Node. @returns the problem, if there is one */
function loadLibrary(library: string): string | undefined {
  try {
    process.dlopen({ exports: {} }, library, constants.dlopen.RTLD_NOW | rtldNoDelete);
  } catch (error) {
    // The library is loaded by the time Node, or Bun, finds that it is not an addon.
    if (!/did not self-register|napi_register_module/.test(String(error))) return String(error);
  }
  return undefined;
}

/** Unpacks the driver into the package's folder, unless that was done before. @returns the driver's folder */
function unpackDriver(folder: string): string {
  const driver = join(folder, ".swiftshader");
  if (existsSync(driver)) return driver;
  const archive = brotliDecompressSync(readFileSync(join(folder, "bin", "swiftshader.tar.br")));
  // Another process may be doing the same, so the folder gets its name when it is complete.
  const draft = `${driver}-${process.pid}`;
  mkdirSync(draft, { recursive: true });
  for (const { name, bytes } of filesOfTar(archive)) {
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
