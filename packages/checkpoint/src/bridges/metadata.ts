import { GradstepError } from "@gradstep/core";

/** An object in the metadata of a file. */
export type JsonObject = Readonly<Record<string, unknown>>;

export function isJsonObject(value: unknown): value is JsonObject {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

/**
 * The JSON in a text of a file's metadata.
 * @param expected what it should be, for the message
 * @throws {GradstepError} `INVALID_FILE` unless it is an object
 */
export function jsonObjectOf(key: string, text: string, expected: string): JsonObject {
  let value: unknown;
  let cause: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    cause = error;
  }
  if (isJsonObject(value)) return value;
  const shown = text.length > 100 ? `${text.slice(0, 100)}…` : text;
  throw new GradstepError(
    `${key} in the metadata of the file is ${shown}${cause === undefined ? "" : ", which is not JSON"}; expected ${expected}.`,
    { code: "INVALID_FILE", cause },
  );
}
