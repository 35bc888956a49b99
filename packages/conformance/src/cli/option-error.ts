import { UsageError } from "./usage.js";

/**
 * The error for options that Node's `parseArgs` refuses.
 * @param error what it threw: the message begins with what was got, the rest is advice on "--"
 * @param names the options that there are
 */
export function optionError(error: unknown, names: string): UsageError {
  const { code, message } = error as { readonly code?: unknown; readonly message: string };
  const [got] = message.split(/\.\s/);
  const [option] = /--[\w-]+/.exec(got) ?? [];
  if (code !== "ERR_PARSE_ARGS_INVALID_OPTION_VALUE" || option === undefined)
    return new UsageError(
      `${got.replace(/^Unknown option '(.*)'$/, 'Got option "$1"')}; expected ${names}.`,
    );
  return new UsageError(
    got.endsWith("does not take an argument")
      ? `Got ${option} with a value; expected ${option} alone.`
      : `Got ${option} without a value; expected ${option} <value>.`,
  );
}
