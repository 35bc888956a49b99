import type { StageName } from "../../core-names.js";
import { gradientStages } from "./gradient-stages.js";
import { parameterStages } from "./parameter-stages.js";
import type { StageInfo } from "./stage-info.js";
import { updateStages } from "./update-stages.js";

/** Without an entry for each stage that core exports, this does not compile. */
export const stageInfos: Readonly<Record<StageName, StageInfo>> = {
  ...gradientStages,
  ...updateStages,
  ...parameterStages,
};
