import colors from "picocolors";
import { wrap } from "../../../shared/src/command-line.mjs";

type Colors = ReturnType<typeof colors.createColors>;

/** The terminal: what it can show, and how wide it is. */
export interface Screen {
  readonly stream: NodeJS.WriteStream;
  /** Colors text, or leaves it as it is if `NO_COLOR` is set or the stream has no colors. */
  readonly paint: Colors;
  /** Whether there are 256 colors, and so shades of gray. */
  readonly hasGrays: boolean;
  /** Whether a line can be overwritten: true on a terminal, false for a file, a pipe or a dumb terminal. */
  readonly live: boolean;
  /** Characters per line, at most 120; 80 if unknown. */
  readonly columns: number;
  print(text?: string): void;
  /** Prints a text that has no colors yet, with line breaks between words. */
  printWrapped(text: string, paint?: (line: string) => string): void;
}

/** Describes the stream, from what it says itself and from the environment (`NO_COLOR`, `FORCE_COLOR`, `TERM`). */
export function screenOf(stream: NodeJS.WriteStream): Screen {
  // A tty's answer accounts for NO_COLOR, FORCE_COLOR and TERM. A pipe or a file gets no color: its isTTY is undefined,
  // which createColors would take as "find out".
  const hasColors = (count: number): boolean => Boolean(stream.isTTY && stream.hasColors(count));
  const columns = Math.min(120, (stream.isTTY && stream.columns) || 80);
  const print = (text = ""): void => void stream.write(`${text}\n`);
  return {
    stream,
    paint: colors.createColors(hasColors(16)),
    hasGrays: hasColors(256),
    live: stream.isTTY && process.env["TERM"] !== "dumb",
    columns,
    print,
    printWrapped: (text, paint = String) => {
      for (const line of wrap(text, columns)) print(paint(line));
    },
  };
}
