import type { Demo } from "./demo.js";

export type DemoName = "machine" | "muon" | "playground" | "splats" | "train";

/** The demos, each loaded when a page shows it. */
export const demos: Readonly<Record<DemoName, () => Promise<Demo>>> = {
  machine: () => import("./machine/mount.js"),
  muon: () => import("./muon/mount.js"),
  playground: () => import("./playground/mount.js"),
  splats: () => import("./splats/mount.js"),
  train: () => import("./train/mount.js"),
};
