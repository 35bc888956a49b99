import { expect, test } from "vitest";
import { rejectUnknownProperties } from "../src/optimizer/reject-unknown-properties.js";
import { codeOf } from "./support.js";

test("an object gets its properties before it is sealed, and no others afterwards", () => {
  class Counter {
    declare step: number;
    declare rate: number;

    constructor() {
      // As assignments, not as fields.
      this.step = 1;
      this.rate = 0.5;
      Object.seal(this);
    }

    get next(): number {
      return this.step + 1;
    }
  }
  rejectUnknownProperties(Counter.prototype);
  const counter: Record<string, unknown> = Object(new Counter());
  counter.step = 2;
  expect([counter.step, counter.next, Object.keys(counter)]).toEqual([2, 3, ["step", "rate"]]);
  expect(codeOf(() => (counter.stepp = 1))).toBe("UNKNOWN_OPTION");
  expect(codeOf(() => (counter.next = 1))).toBe("UNKNOWN_OPTION");
  expect(Object.keys(counter)).toEqual(["step", "rate"]);
});

test("a property that is set while an object is extensible is like any other", () => {
  const target = rejectUnknownProperties<Record<string, unknown>>({});
  target.rate = 1;
  expect(Object.getOwnPropertyDescriptor(target, "rate")).toEqual({
    value: 1,
    writable: true,
    enumerable: true,
    configurable: true,
  });
  expect(delete target.rate).toBe(true);
});
