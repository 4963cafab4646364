import { describe, expect, it } from "vitest";
import { releaseProblems, withRepository } from "../scripts/release-manifest.ts";

const good = {
  tag: "v1.2.0",
  repository: "https://git.example/someone/basil",
  pending: [],
  manifests: new Map([["core", { name: "@basil/core", version: "1.2.0" }]]),
};

describe("releaseProblems", () => {
  it("finds none where tag and versions agree", () => {
    expect(releaseProblems(good)).toEqual([]);
  });

  it.for([
    ["a changeset that no version took up", { pending: ["new.md"] }, /^\.changeset\/new\.md: /],
    ["a tag of another version", { tag: "v1.1.0" }, /found v1\.1\.0, but @basil\/core is at v1\.2\.0/],
    ["a repository that is no address", { repository: "git@git.example:someone/basil" }, /^--repository: found git@/],
  ] as const)("names %s", ([, change, message]) => {
    expect(releaseProblems({ ...good, ...change })).toEqual([expect.stringMatching(message)]);
  });
});

describe("withRepository", () => {
  it("adds the source's address and the package's folder, and keeps the rest", () => {
    const manifest = { name: "@basil/core", version: "1.2.0", license: "Apache-2.0" };
    expect(withRepository(manifest, good.repository, "core")).toEqual({
      ...manifest,
      repository: { type: "git", url: "git+https://git.example/someone/basil.git", directory: "packages/core" },
    });
  });
});
