import { racePaths } from "../../src/home/race-paths.js";
import { starts } from "../../src/home/race.js";
import { record, type RecordedRaces } from "../../src/home/recorded-races.js";

/** The races that the first page plays, run when the site is built. */
export declare const data: RecordedRaces;

export default {
  load: (): Promise<RecordedRaces> =>
    Promise.all(starts.map(async (start) => (await racePaths(start)).map(record))),
};
