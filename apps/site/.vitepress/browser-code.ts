import type { DefaultTheme, UserConfig } from "vitepress";

type Plugin = Extract<
  NonNullable<NonNullable<UserConfig<DefaultTheme.Config>["vite"]>["plugins"]>[number],
  { readonly name: string }
>;

/** What only runs once a page is open, by the end of its path, and what stands for it on the server. */
const replaced: readonly (readonly [path: RegExp, code: string])[] = [
  [/\/src\/demos\.ts$/, "export const demos = {};"],
  [/\/src\/home\/home-race\.ts$/, "export const HomeRace = undefined;"],
  // For it, all pages would be rendered once more.
  [/^\/@localSearchIndex/, "export default {};"],
];

/** Leaves demos and search out of the code that renders pages when the site is built. */
export const browserCode: Plugin = {
  name: "browser-code",
  enforce: "pre",
  load: (id, options) => (options?.ssr ? replaced.find(([path]) => path.test(id))?.[1] : undefined),
  // On the server nothing is saved by leaving out unused code, and finding it takes long.
  config: (_, { isSsrBuild }) =>
    isSsrBuild ? { build: { rollupOptions: { treeshake: false } } } : {},
};
