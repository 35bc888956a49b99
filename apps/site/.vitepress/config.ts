import { defineConfig } from "vitepress";
import { accessibleMath } from "./accessible-math.js";
import { crossOriginIsolation } from "../src/headers.mjs";
import { browserCode } from "./browser-code.js";
import { documentationSidebar } from "./documentation-sidebar.js";
import { highlightedOnce } from "./highlighted-once.js";
import { apiSidebar, hasApi, referenceSidebar } from "./reference-sidebar.js";

export default defineConfig({
  title: "gradstep",
  description:
    "Optimizers for JavaScript and TypeScript: one specification, compiled to plain JavaScript, WebAssembly and WebGPU.",
  lang: "en",
  srcDir: "content",
  outDir: "dist",
  cleanUrls: true,
  // The list of all pages, once for all pages.
  metaChunk: true,
  ignoreDeadLinks: hasApi ? false : [/^\/reference\/api\//],
  markdown: {
    math: true,
    config: (renderer) => {
      accessibleMath(renderer);
      highlightedOnce(renderer);
    },
    // Their colors have enough contrast to the background of blocks of code.
    theme: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" },
  },
  themeConfig: {
    search: {
      provider: "local",
      options: {
        miniSearch: {
          searchOptions: {
            // The API has hundreds of pages with the same words: pages that explain come first.
            boostDocument: (page: string) => (page.includes("/reference/api/") ? 0.25 : 1),
          },
        },
      },
    },
    outline: { level: [2, 3] },
    nav: [
      { text: "Start", link: "/start/node", activeMatch: "/start/" },
      {
        text: "Guide",
        link: "/guide/optimizers",
        activeMatch: "/(guide|recipes|migrate|comparison)",
      },
      { text: "Reference", link: "/reference/", activeMatch: "/reference/" },
      { text: "Demos", link: "/demos/train", activeMatch: "/demos/" },
    ],
    sidebar: {
      "/": documentationSidebar,
      "/reference/": referenceSidebar,
      "/reference/api/": apiSidebar,
      "/demos/": [
        {
          text: "Demos",
          items: [
            { text: "Train", link: "/demos/train" },
            { text: "Playground", link: "/demos/playground" },
            { text: "Muon pictured", link: "/demos/muon" },
            { text: "Splats", link: "/demos/splats" },
            { text: "On your machine", link: "/demos/machine" },
          ],
        },
      ],
    },
  },
  vite: {
    plugins: [
      browserCode,
      {
        // VitePress answers with pages before Vite adds the headers of `server`.
        name: "cross-origin-isolation",
        configureServer: ({ middlewares }) => {
          middlewares.use((_, response, next) => {
            for (const [name, value] of Object.entries(crossOriginIsolation))
              response.setHeader(name, value);
            next();
          });
        },
      },
    ],
    worker: { format: "es" },
  },
});
