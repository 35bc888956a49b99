import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { fitsUrl, pushUrlState, writeUrlState } from "../../src/url-state/url-state.js";

test("a state fits an address up to 8,000 encoded characters", () => {
  expect(fitsUrl({ rule: "x".repeat(7995), other: undefined })).toBe(true);
  expect(fitsUrl({ rule: "x".repeat(7996) })).toBe(false);
  // A newline is three characters there.
  expect(fitsUrl({ rule: "\n".repeat(2665) })).toBe(true);
  expect(fitsUrl({ rule: "\n".repeat(2666) })).toBe(false);
});

describe("the history", () => {
  /** The addresses of the entries so far, and how often one was replaced by another address. */
  let entries: string[];
  let replacements: number;
  beforeEach(() => {
    vi.useFakeTimers();
    entries = ["/demo"];
    replacements = 0;
    const location = {
      pathname: "/demo",
      hash: "",
      get search() {
        return new URL(entries.at(-1)!, "http://host").search;
      },
    };
    vi.stubGlobal("location", location);
    vi.stubGlobal("scrollY", 0);
    vi.stubGlobal("history", {
      pushState: (_state: unknown, _title: string, url: string) => entries.push(url),
      replaceState: (_state: unknown, _title: string, url?: string) => {
        if (url === undefined) return;
        entries[entries.length - 1] = url;
        replacements++;
      },
    });
  });
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });

  test("changes within 200 ms are one replacement", () => {
    writeUrlState({ steps: "1" });
    writeUrlState({ steps: "2", rule: "a b" });
    vi.advanceTimersByTime(200);
    expect(entries).toEqual(["/demo?steps=2&rule=a+b"]);
    expect(replacements).toBe(1);
  });

  test("a new entry leaves the one before with its last state", () => {
    writeUrlState({ steps: "2" });
    pushUrlState({ steps: "3" });
    vi.advanceTimersByTime(200);
    expect(entries).toEqual(["/demo?steps=2", "/demo?steps=3"]);
  });

  // A visitor may go back before the state of the view is written, while no demo is there to see it.
  test("a state is not written to an entry that was opened since", () => {
    pushUrlState({ steps: "2" });
    writeUrlState({ steps: "3" });
    entries.pop();
    vi.advanceTimersByTime(200);
    expect(entries).toEqual(["/demo"]);
    expect(replacements).toBe(0);
  });

  // Browsers limit the number of replacements, and one may coincide with a visitor who goes back.
  test("an address that is right already is not replaced", () => {
    pushUrlState({ runners: "sgd(learningRate:0.1)" });
    writeUrlState({ runners: "sgd(learningRate:0.1)" });
    vi.advanceTimersByTime(200);
    expect(entries).toHaveLength(2);
    expect(replacements).toBe(0);
  });
});
