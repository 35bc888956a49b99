import { type Problem, problemText } from "../training/problem.js";
import { withOptions } from "./html.js";

/** A conspicuous paragraph about a training that failed. */
export function problemNotice(problem: Problem, subject: string = ""): string {
  return `<p class="problem">${subject}${problemText(problem)} ${withOptions(problem.remedy)}</p>`;
}
