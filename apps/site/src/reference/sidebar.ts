/** An entry of the site's sidebar. */
export interface SidebarEntry {
  readonly text: string;
  readonly link?: string;
  readonly collapsed?: boolean;
  readonly items?: readonly SidebarEntry[];
}

/** A folder of the reference with its pages. */
export function folder(
  text: string,
  path: string,
  pages: readonly { readonly title: string; readonly name: string }[],
): SidebarEntry {
  return {
    text,
    link: `/reference/${path}/`,
    collapsed: path !== "rules",
    items: pages.map(({ title, name }) => ({ text: title, link: `/reference/${path}/${name}` })),
  };
}
