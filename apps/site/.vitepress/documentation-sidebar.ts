import type { DefaultTheme } from "vitepress";

const pages = (folder: string, titles: Readonly<Record<string, string>>) =>
  Object.entries(titles).map(([page, text]) => ({ text, link: `${folder}/${page}` }));

/** The pages that are written by hand, in the order in which they are read. */
export const documentationSidebar: DefaultTheme.SidebarItem[] = [
  {
    text: "Start",
    items: pages("/start", {
      node: "Node",
      browser: "Browser",
      tfjs: "TensorFlow.js",
      webgpu: "Raw WebGPU",
      "typed-arrays": "Typed arrays",
    }),
  },
  {
    text: "Guide",
    items: pages("/guide", {
      optimizers: "Optimizers and groups",
      stages: "Stages",
      schedules: "Schedules",
      accumulation: "Accumulation, skipped steps, loss scale",
      "sparse-gradients": "Sparse gradients",
      rows: "Rows and layouts",
      explain: "Explain",
      state: "State and checkpoints",
      backends: "Backends",
      muon: "Muon",
      numerics: "Numerics explained",
      "bring-your-trainer": "Bring your trainer",
      "adding-a-rule": "A rule of your own",
      "adding-a-backend": "A backend of your own",
      troubleshooting: "Troubleshooting",
      glossary: "Glossary",
    }),
  },
  {
    text: "Recipes",
    items: pages("/recipes", {
      checkpoints: "Checkpoints on disk and in IndexedDB",
      "tfjs-fit": "TensorFlow.js fit with checkpoints",
      vite: "Vite",
      nextjs: "Next.js",
      workers: "Cloudflare Workers",
      electron: "Electron",
      threejs: "three.js",
      "jax-js": "jax-js",
      "github-pages": "GitHub Pages, without COOP and COEP",
    }),
  },
  {
    text: "Migrate",
    items: pages("/migrate", {
      tfjs: "From TensorFlow.js",
      keras: "From Keras",
      torch: "From PyTorch",
      optax: "From Optax",
      "by-hand": "From an Adam of your own",
    }),
  },
  { text: "Comparison", link: "/comparison" },
];
