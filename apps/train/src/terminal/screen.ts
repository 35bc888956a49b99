import colors from "picocolors";

type Colors = ReturnType<typeof colors.createColors>;

/** Where people read: what it can show, and how wide it is. */
export interface Screen {
  readonly stream: NodeJS.WriteStream;
  /** Paints text, or leaves it as it is where `NO_COLOR` is set or nothing can be painted. */
  readonly paint: Colors;
  /** 256 colors and shades of gray. */
  readonly shades: boolean;
  /** A line can be written over: a terminal, and not a file, a pipe or a dumb terminal. */
  readonly live: boolean;
  /** Characters in a line, at most 120; 80 where nothing is known. */
  readonly columns: number;
  print(text?: string): void;
}

/** Looks at the stream and at the environment (`NO_COLOR`, `FORCE_COLOR`, `TERM`). */
export function screenOf(stream: NodeJS.WriteStream): Screen {
  // A tty's answer accounts for NO_COLOR, FORCE_COLOR and TERM; a pipe or a file is never painted. Its isTTY is
  // undefined, which to createColors would mean "find out".
  const colorful = (count: number): boolean => Boolean(stream.isTTY && stream.hasColors(count));
  return {
    stream,
    paint: colors.createColors(colorful(16)),
    shades: colorful(256),
    live: stream.isTTY && process.env["TERM"] !== "dumb",
    columns: Math.min(120, (stream.isTTY && stream.columns) || 80),
    print: (text = "") => void stream.write(`${text}\n`),
  };
}
