import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const packageName = "@sparticuz/chromium";

/**
 * The folder of the package `@sparticuz/chromium`, which has its archives in `bin`; undefined if it is not installed.
 * Its entry point is in another folder in each major version.
 *
 * @param from files from which the package is looked up, in order: paths or file URLs
 */
export function chromiumPackageFolder(from: readonly string[]): string | undefined {
  for (const file of from) {
    const entry = resolveFrom(file);
    if (entry === undefined) continue;
    for (let folder = dirname(entry); folder !== dirname(folder); folder = dirname(folder)) {
      if (nameOf(folder) === packageName) return folder;
    }
  }
  return undefined;
}

function resolveFrom(file: string): string | undefined {
  try {
    return createRequire(file).resolve(packageName);
  } catch {
    return undefined;
  }
}

/** The name in the folder's package.json, if there is one. */
function nameOf(folder: string): unknown {
  try {
    return (JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { name?: unknown })
      .name;
  } catch {
    return undefined;
  }
}
