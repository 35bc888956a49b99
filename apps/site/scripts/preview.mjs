// Serves the built site on this machine, and opens it in the browser: `pnpm demo [--port N] [--no-open]`.
import { parseArgs } from "node:util";
import { serveSite } from "./serve-site.mjs";

const { values } = parseArgs({
  options: { port: { type: "string", default: "4173" }, open: { type: "boolean", default: true } },
  allowNegative: true,
});
const { address } = await serveSite({ port: Number(values.port), open: values.open });
console.log(`gradstep's demos and documentation: ${address}`);
console.log("Ctrl-C ends the server.");
