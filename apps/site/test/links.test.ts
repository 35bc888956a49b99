import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { inRepository, pagesByHand } from "./pages-by-hand.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const repository = "https://github.com/gradstep/gradstep/";

const readmes = readdirSync(join(root, "packages")).map((name) => `packages/${name}/README.md`);
const documents = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".md"))
  .map((path) => join("docs", path));
const pages = [
  "README.md",
  "CONTRIBUTING.md",
  ...readmes.filter((path) => existsSync(join(root, path))),
  ...documents,
  ...pagesByHand.map(inRepository),
];

/** The text without its blocks and pieces of code, which may hold what looks like a link. */
function proseOf(path: string): string {
  return readFileSync(join(root, path), "utf8")
    .replace(/^```[\s\S]*?^```/gm, "")
    .replace(/`[^`\n]*`/g, "code");
}

/** The anchors of a page: its headings, as GitHub and VitePress write them. */
function anchorsOf(path: string): Set<string> {
  const text = readFileSync(join(root, path), "utf8").replace(/^```[\s\S]*?^```/gm, "");
  return new Set(
    [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
      heading
        .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, "")
        .trim()
        .replace(/\s/g, "-"),
    ),
  );
}

/** The page that a path in the repository shows: of a folder its README. HTML names pages of the site without `.md`. */
function pageOf(path: string): string | undefined {
  const full = join(root, path);
  if (!existsSync(full)) return existsSync(`${full}.md`) ? `${path}.md` : undefined;
  if (!statSync(full).isDirectory()) return path;
  const readme = join(path, "README.md");
  return existsSync(join(root, readme)) ? readme : path;
}

/** The path in the repository of a relative link, or of one from the root of the site. */
function targetOf(from: string, path: string): string {
  if (path === "") return from;
  if (path.startsWith("/")) return inRepository(`${path.replace(/\/$/, "/index")}.md`);
  return relative(root, join(root, dirname(from), path));
}

/** What is wrong with a link, or undefined. */
function fault(from: string, link: string): string | undefined {
  const here = link.startsWith(repository)
    ? { path: link.slice(repository.length).replace(/^(?:tree|blob)\/main\//, "") }
    : undefined;
  if (here === undefined && /^[a-z]+:/.test(link)) {
    const { protocol, hostname } = new URL(link);
    return protocol === "https:" && hostname.includes(".") ? undefined : "expected https";
  }
  if (here !== undefined && !/^(?:tree|blob)\/main\//.test(link.slice(repository.length)))
    return undefined; // issues, actions
  // What follows a question mark is the state of a demo.
  const [path = "", anchor] = (here?.path ?? link).replace(/\?[^#]*/, "").split("#");
  const target = here === undefined ? targetOf(from, path) : path;
  // Written by the build of the site.
  if (target.startsWith(inRepository("reference"))) return undefined;
  const page = pageOf(target);
  if (page === undefined) return "no such file";
  if (anchor === undefined || anchor === "readme" || !page.endsWith(".md")) return undefined;
  return anchorsOf(page).has(anchor) ? undefined : "no such heading";
}

test.each(pages)("the links of %s lead somewhere", (from) => {
  const prose = proseOf(from);
  const links = [
    ...[...prose.matchAll(/\]\(([^()\s]+(?:\([^()]*\))?)\)/g)].map(([, link = ""]) => link),
    ...[...prose.matchAll(/\b(?:href|src|srcset)="([^"]*)"/g)].map(([, link = ""]) => link),
  ];
  const faults = links.flatMap((link) => {
    const text = fault(from, link);
    return text === undefined ? [] : [`${link}: ${text}`];
  });
  expect(faults).toEqual([]);
});
