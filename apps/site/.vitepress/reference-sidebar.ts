import { readFileSync } from "node:fs";
import type { DefaultTheme } from "vitepress";

const file = new URL("../src/generated/reference-sidebar.json", import.meta.url);

/** The pages of the reference, as `pnpm generate` listed them. */
export const referenceSidebar = JSON.parse(
  readFileSync(file, "utf8"),
) as DefaultTheme.SidebarItem[];
