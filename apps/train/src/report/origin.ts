import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** Where a report comes from. */
export interface Origin {
  /** When the training started. */
  readonly date: Date;
  /** Of gradstep. */
  readonly version: string;
  /** The command that makes the report again. */
  readonly command: string;
  /** "Node 20.20.2, linux x64" */
  readonly platform: string;
}

/** The origin of a training that started then, with those command-line arguments. */
export function originOf(date: Date, args: readonly string[]): Origin {
  const core = dirname(createRequire(import.meta.url).resolve("@gradstep/core"));
  const { version } = JSON.parse(readFileSync(join(core, "../package.json"), "utf8")) as {
    version: string;
  };
  const { versions, platform, arch } = process;
  return {
    date,
    version,
    command: ["npm start", ...(args.length > 0 ? ["--"] : []), ...args.map(quoted)].join(" "),
    platform: `Node ${versions.node}, ${platform} ${arch}`,
  };
}

/** An argument as a shell takes it. */
function quoted(argument: string): string {
  return /^[\w./:=@%+,-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
}
