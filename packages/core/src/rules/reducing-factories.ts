// Rules that not every backend runs yet: with reductions, or with a slot that starts as a copy of the parameter.
export { adafactor } from "./adafactor.js";
export { lamb } from "./lamb.js";
export { lars } from "./lars.js";
export { muon } from "./muon.js";
export { prodigy } from "./prodigy.js";
export { scheduleFreeAdamw } from "./schedule-free-adamw.js";
export { scheduleFreeSgd } from "./schedule-free-sgd.js";
