import type { ScheduleName } from "../../core-names.js";
import { compositions } from "./compositions.js";
import { cosineDecays } from "./cosine-decays.js";
import { cycles } from "./cycles.js";
import { decays } from "./decays.js";
import type { ScheduleInfo } from "./schedule-info.js";

/** Without an entry for each schedule that core exports, this does not compile. */
export const scheduleInfos: Readonly<Record<ScheduleName, ScheduleInfo>> = {
  ...compositions,
  ...cosineDecays,
  ...cycles,
  ...decays,
};
