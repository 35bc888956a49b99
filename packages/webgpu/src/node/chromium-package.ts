import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * The folder of the package `@sparticuz/chromium`, which has its archives in `bin`; undefined if it is not installed.
 *
 * The search follows Node's rule for packages, and not `require.resolve`: bundlers replace that, and the package's entry
 * point is in another folder in each major version.
 *
 * @param from files from which the package is looked up, in order: paths or file URLs
 */
export function chromiumPackageFolder(from: readonly string[]): string | undefined {
  for (const file of from) {
    const path = file.startsWith("file:") ? fileURLToPath(file) : file;
    for (let folder = dirname(path); ; folder = dirname(folder)) {
      const candidate = join(folder, "node_modules", "@sparticuz", "chromium");
      if (existsSync(join(candidate, "package.json"))) return candidate;
      if (folder === dirname(folder)) break;
    }
  }
  return undefined;
}
