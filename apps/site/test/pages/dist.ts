import { fileURLToPath } from "node:url";

/** The folder of the built site. */
export const dist = fileURLToPath(new URL("../../dist/", import.meta.url));
