import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { entryPoints, root } from "../docs/reference/entry-points.ts";

const reports = join(root, "docs", "api");

// That each report is what its package exports, `pnpm check:api` decides on built declarations.
describe("docs/api", () => {
  it("has a report for each typed entry point, and no other", () => {
    expect(readdirSync(reports).sort()).toEqual(
      entryPoints()
        .map(({ name }) => `${name}.api.md`)
        .sort(),
    );
  });

  it.for(entryPoints().map(({ name, types }) => [name, types] as const))(
    "%s.api.md names what its source exports",
    ([name, types]) => {
      const report = readFileSync(join(reports, `${name}.api.md`), "utf8");
      const source = readFileSync(types.replace(/\/dist\//, "/src/").replace(/\.d\.ts$/, ".ts"), "utf8");
      const lists = [...source.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, list = ""]) => list.split(","));
      const names = lists
        .map(
          (item) =>
            item
              .trim()
              .replace(/^type /, "")
              .split(" as ")
              .at(-1) ?? "",
        )
        .filter((item) => item !== "");
      expect(names.filter((item) => !new RegExp(`\\b${item}\\b`).test(report))).toEqual([]);
    },
  );
});
