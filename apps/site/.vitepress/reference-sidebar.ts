import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { DefaultTheme } from "vitepress";

const list = new URL("../src/generated/reference-sidebar.json", import.meta.url);
const api = fileURLToPath(new URL("../content/reference/api/", import.meta.url));

/** Whether the API reference was written, which `pnpm run docs` does. */
export const hasApi: boolean = existsSync(`${api}index.md`);

function apiPages(): DefaultTheme.SidebarItem[] {
  if (!hasApi) return [];
  const modules = readdirSync(api, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".md") && path !== "index.md")
    .map((path) => path.replaceAll("\\", "/").replace(/\.md$/, ""))
    .sort();
  const items = modules.map((path) => ({ text: path, link: `/reference/api/${path}` }));
  return [{ text: "API", link: "/reference/api/", collapsed: true, items }];
}

/** The pages of the reference, as the task `reference` listed them, and those of the API. */
export const referenceSidebar: DefaultTheme.SidebarItem[] = [
  ...(JSON.parse(readFileSync(list, "utf8")) as DefaultTheme.SidebarItem[]),
  ...apiPages(),
];
