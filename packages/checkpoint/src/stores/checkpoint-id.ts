const digits = 8;
const pattern = /^checkpoint-(\d{8,15})(?:-([0-9a-f]+))?$/;

/** The id of the checkpoint with this sequence number. `suffix`: makes it unique where writers share no counter. */
export function checkpointId(sequence: number, suffix?: string): string {
  const number = String(sequence).padStart(digits, "0");
  return suffix === undefined ? `checkpoint-${number}` : `checkpoint-${number}-${suffix}`;
}

/** The sequence number in an id; undefined if the text is not an id. */
export function sequenceOf(id: string): number | undefined {
  if (typeof id !== "string") return undefined;
  const [, number] = pattern.exec(id) ?? [];
  return number === undefined ? undefined : Number(number);
}

/** The order of ids: oldest first. Ids with the same number were written at the same time. */
export function byAge(a: string, b: string): number {
  return (sequenceOf(a) ?? 0) - (sequenceOf(b) ?? 0) || (a < b ? -1 : 1);
}
