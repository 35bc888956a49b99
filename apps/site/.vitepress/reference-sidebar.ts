import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { DefaultTheme } from "vitepress";

const list = new URL("../src/generated/reference-sidebar.json", import.meta.url);
const api = fileURLToPath(new URL("../content/reference/api/", import.meta.url));

/** Whether the API reference was written, which `pnpm run docs` does. */
export const hasApi: boolean = existsSync(`${api}index.md`);

/** The modules of the API. The pages of their exports are hundreds; the index of a module lists its own. */
function modules(): DefaultTheme.SidebarItem[] {
  if (!hasApi) return [];
  return readdirSync(api, { recursive: true, encoding: "utf8" })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => path.endsWith("/index.md"))
    .map((path) => path.replace(/\/index\.md$/, ""))
    .sort()
    .map((path) => ({ text: path, link: `/reference/api/${path}/` }));
}

/** The pages of the API. */
export const apiSidebar: DefaultTheme.SidebarItem[] = [
  { text: "Reference", link: "/reference/" },
  { text: "API", link: "/reference/api/", items: modules() },
];

/** The pages of the reference, as the task `reference` listed them. */
export const referenceSidebar: DefaultTheme.SidebarItem[] = [
  ...(JSON.parse(readFileSync(list, "utf8")) as DefaultTheme.SidebarItem[]),
  ...(hasApi ? [{ text: "API", link: "/reference/api/" }] : []),
];
