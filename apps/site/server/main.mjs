// Serves the built site on this machine, and opens it in the browser: `pnpm demo`.
import { parseOptions } from "../src/options.mjs";
import { serveSite } from "./serve-site.mjs";

const { port, open } = parseOptions(process.argv.slice(2));
const { address } = await serveSite({ port, open });
console.log(`gradstep's demos and documentation: ${address}`);
console.log("Ctrl-C stops the server.");
