import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");

/** Folders that hold nothing of ours to read. */
const LEFT_OUT = new Set(["node_modules", "dist", "html", ".git", ".turbo"]);

function pagesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return LEFT_OUT.has(entry.name) ? [] : pagesIn(path);
    return entry.name.endsWith(".md") && !entry.name.endsWith(".api.md") ? [relative(root, path)] : [];
  });
}

const withoutCode = (text: string): string => text.replace(/^```[\s\S]*?^```$/gm, "");

/** Targets of the links of a page. */
function linksOf(page: string): string[] {
  const text = withoutCode(readFileSync(join(root, page), "utf8")).replace(/`[^`\n]*`/g, "code");
  const inline = [...text.matchAll(/\]\(<?([^)\s>]+)>?(?: "[^"]*")?\)/g)];
  return [...inline, ...text.matchAll(/^\[[^\]]+\]: <?(\S+?)>?$/gm)].map(([, target = ""]) => target);
}

/** The anchors that GitHub gives the headings of a page. */
function anchorsOf(page: string): Set<string> {
  const seen = new Map<string, number>();
  const anchors = new Set<string>();
  for (const [, heading = ""] of withoutCode(readFileSync(page, "utf8")).matchAll(/^#{1,6} (.+?)\s*$/gm)) {
    const words = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const slug = words.replace(/[^\p{L}\p{N}_\- ]/gu, "").replaceAll(" ", "-");
    const before = seen.get(slug) ?? 0;
    anchors.add(before === 0 ? slug : `${slug}-${before}`);
    seen.set(slug, before + 1);
  }
  return anchors;
}

/** What is wrong with a link, or nothing. */
function problem(page: string, target: string): string | undefined {
  if (/^https:\/\//.test(target)) return undefined;
  if (/^[a-z]+:/i.test(target)) return "neither relative nor https";
  const [path = "", anchor] = target.split("#");
  const file = path === "" ? join(root, page) : join(root, dirname(page), decodeURIComponent(path));
  if (!existsSync(file)) return "nothing is there";
  if (anchor === undefined) return undefined;
  if (statSync(file).isDirectory() || !file.endsWith(".md")) return "an anchor into something that is no page";
  return anchorsOf(file).has(anchor) ? undefined : "no such heading";
}

const pages = pagesIn(root).filter((page) => !page.startsWith(".changeset") && !page.endsWith("CHANGELOG.md"));

describe("documentation", () => {
  it.for(pages)("%s links only to what is there", (page) => {
    const broken = linksOf(page).flatMap((target) => {
      const wrong = problem(page, target);
      return wrong === undefined ? [] : [`${target}: ${wrong}`];
    });
    expect(broken).toEqual([]);
  });

  it("says of each step of a request in which file it is", () => {
    const text = readFileSync(join(root, "docs/architecture.md"), "utf8");
    const rows = text.split("\n").filter((line) => /^\| [a-z]+ \|.*`[a-z-]+\/src\//.test(line));
    expect(rows.length).toBeGreaterThan(9);
    const absent = rows.flatMap((row) => {
      const files = [...(row.split(" | ").at(-1) ?? "").matchAll(/`([^`]+)`/g)].map(([, file = ""]) => file);
      // What has no package of its own is in that of the file before.
      const [source = ""] = /^[a-z-]+\/src/.exec(files[0] ?? "") ?? [];
      return files.filter(
        (file) => !existsSync(join(root, "packages", file.includes("/src/") ? file : `${source}/${file}`)),
      );
    });
    expect(absent).toEqual([]);
  });

  it("has an index that names every page", () => {
    const linked = linksOf("docs/README.md").map((target) => join("docs", target.split("#")[0] ?? ""));
    const unlinked = pages.filter((page) => /^docs\/[^/]+\.md$/.test(page) && page !== "docs/README.md");
    expect(unlinked.filter((page) => !linked.includes(page))).toEqual([]);
    const readmes = pages.filter((page) => /^(packages|examples)\/[^/]+\/README\.md$/.test(page));
    const folders = linked.map((path) => path.replace(/\/$/, ""));
    expect(readmes.map(dirname).filter((folder) => !folders.includes(folder))).toEqual([]);
  });
});

describe("e2e/README.md", () => {
  it("names every folder of tests", () => {
    const text = readFileSync(join(root, "e2e/README.md"), "utf8");
    const named = [...text.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, name = ""]) => name);
    const folders = readdirSync(join(root, "e2e"), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(named.toSorted()).toEqual(folders.map(({ name }) => name).toSorted());
  });
});
