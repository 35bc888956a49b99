import { type Failure, failureText } from "@gradstep/digits";
import { withOptions } from "./html.js";

/** A conspicuous paragraph about a training that failed. */
export function failureNotice(failure: Failure, subject: string = ""): string {
  return `<p class="failure">${subject}${failureText(failure)} ${withOptions(failure.remedy)}</p>`;
}
