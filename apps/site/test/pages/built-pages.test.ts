import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { ruleEntries, scheduleEntries, stageEntries } from "../../src/reference/entries.js";
import { builtPages, type BuiltPage } from "./built-page.js";
import { dist } from "./dist.js";

const byPath = new Map(builtPages.map((page) => [page.path, page]));
const ids = new Map(builtPages.map((page) => [page, new Set(page.valuesOf("id"))]));

/** What a check finds on all pages: the path of the page, and what is wrong. */
const faultsOf = (check: (page: BuiltPage) => readonly string[]): readonly string[] =>
  builtPages.flatMap((page) => check(page).map((fault) => `${page.path}: ${fault}`));

test("there is a page for each rule, stage and schedule, and no other", () => {
  const expected = [
    ...ruleEntries().map(({ rule }) => `rules/${rule.name}`),
    ...stageEntries().map(({ rule }) => `stages/${rule.name}`),
    ...scheduleEntries().map(({ kind }) => `schedules/${kind.name}`),
    "index",
    "rules/index",
    "stages/index",
    "schedules/index",
  ];
  const built = builtPages
    .map(({ path }) => path)
    .filter((path) => path.startsWith("reference/") && !path.startsWith("reference/api/"));
  expect(built).toEqual(expected.map((path) => `reference/${path}.html`).sort());
});

/** Why a link leads nowhere on the site, or undefined. */
function linkFault(from: BuiltPage, link: string): string | undefined {
  const { origin, pathname, hash } = new URL(link, `http://site/${from.path}`);
  if (origin !== "http://site") return undefined;
  const path = decodeURIComponent(pathname).slice(1);
  const target = [path, `${path}.html`, join(path, "index.html")].find((one) => byPath.has(one));
  if (target === undefined) {
    const isFile = path !== "" && existsSync(dist + path);
    return isFile ? undefined : `${link} leads nowhere`;
  }
  const anchor = decodeURIComponent(hash.slice(1));
  if (anchor === "" || ids.get(byPath.get(target)!)!.has(anchor)) return undefined;
  return `${link} has no such heading`;
}

test("links, pictures, scripts and styles of every page are on the site", () => {
  const faults = faultsOf((page) => {
    const links = new Set([...page.valuesOf("href"), ...page.valuesOf("src")]);
    return [...links].flatMap((link) => linkFault(page, link) ?? []);
  });
  expect(builtPages.length).toBeGreaterThan(400);
  expect(faults).toEqual([]);
});

test("every page has a title of its own, one heading of the first level, and leaves out no level", () => {
  const titles = new Set<string>();
  const faults = faultsOf((page) => {
    const [title] = page.textsOf("title");
    const levels = page.tags.flatMap(({ name, attributes }) =>
      // Headings of the frame around the content have classes.
      /^h[1-6]$/.test(name) && !attributes.has("class") ? [Number(name[1])] : [],
    );
    // The guide and the reference have pages about the same things.
    const key = `${dirname(page.path)}: ${title}`;
    const isNew = !titles.has(key);
    titles.add(key);
    return [
      ...(isNew ? [] : [`another page of its folder is called ${title}`]),
      ...levels.flatMap((level, i) =>
        level > (levels[i - 1] ?? 0) + 1 ? [`h${level} follows h${levels[i - 1] ?? 0}`] : [],
      ),
      ...(levels.filter((level) => level === 1).length > 1 ? ["two h1"] : []),
    ];
  });
  expect(faults).toEqual([]);
});

test("every id is there once, every picture and formula has a text, and wide boxes take the focus", () => {
  const faults = faultsOf((page) => {
    const all = page.valuesOf("id");
    const twice = all.filter((id, i) => all.indexOf(id) !== i);
    const pictures = page.tags.filter(({ attributes }) => attributes.get("role") === "img");
    const silent = [
      ...pictures.filter(
        ({ attributes }) => !attributes.get("aria-label") && !attributes.has("aria-hidden"),
      ),
      ...page.tags.filter(({ name, attributes }) => name === "img" && !attributes.has("alt")),
    ];
    // Formulas that are hidden from screen readers are there a second time, as MathML.
    const hidden = pictures.filter(({ attributes }) => attributes.has("aria-hidden")).length;
    const spoken = page.tags.filter(({ name }) => name === "mjx-assistive-mml").length;
    const fixed = page.tags.filter(
      ({ name, attributes }) =>
        (name === "table" || name === "pre" || /\bformula\b/.test(attributes.get("class") ?? "")) &&
        attributes.get("tabindex") !== "0",
    );
    return [
      ...twice.map((id) => `id ${id} twice`),
      ...silent.map(({ name, attributes }) => `${name} ${attributes.get("src") ?? ""} has no text`),
      ...(hidden === spoken ? [] : [`${hidden - spoken} formulas without a text`]),
      ...fixed.map(({ name }) => `${name} cannot take the focus`),
    ];
  });
  expect(faults).toEqual([]);
});

/** Options that all rules have, which the guide describes. */
const commonOptions: readonly string[] = ["weightDecayMode", "maximize"];

/** Rules and stages with their pages. */
const specs = [
  ...ruleEntries().map((entry) => ({ ...entry, path: `reference/rules/${entry.rule.name}.html` })),
  ...stageEntries().map((entry) => ({
    ...entry,
    path: `reference/stages/${entry.rule.name}.html`,
  })),
];

test.each(specs)("$path has its title, formulas, arguments, sources and charts", (entry) => {
  const { path, title, rule, sources } = entry;
  const page = byPath.get(path)!;
  expect(page.textsOf("h1")).toEqual([title]);
  const cells = page.textsOf("td").join("\n");
  for (const name of Object.keys(rule.hyperparameters)) expect(cells).toContain(name);
  const options = Object.keys(rule.options).filter((name) => !commonOptions.includes(name));
  expect(page.textsOf("h3")).toEqual(expect.arrayContaining(options));
  expect(page.valuesOf("href")).toEqual(expect.arrayContaining(sources.map(({ url }) => url)));
  expect(page.html).toContain("<mjx-container");
  const charts = page.tags.filter(({ name }) => name === "img");
  for (const theme of ["light-only", "dark-only"])
    expect(charts.filter(({ attributes }) => attributes.get("class")?.includes(theme))).not.toEqual(
      [],
    );
});

test.each(scheduleEntries())("the page of $kind.name has its title, options and chart", (entry) => {
  const { kind } = entry;
  const page = byPath.get(`reference/schedules/${kind.name}.html`)!;
  expect(page.textsOf("h1")).toHaveLength(1);
  const cells = page.textsOf("td").join("\n");
  for (const { name } of kind.options) expect(cells).toContain(name);
  expect(page.valuesOf("alt")).not.toEqual([]);
});
