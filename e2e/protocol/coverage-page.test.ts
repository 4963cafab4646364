import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { BROKER_ERROR_CODES } from "@basil/broker";
import { beforeAll, describe, expect, it } from "vitest";
import { tableUnder } from "../../tests/markdown-table.js";
import { CASES } from "./all-cases.js";
import { METHODS } from "./drivers/grpc-js.js";
import { WIRE_CASES } from "./wire-cases.js";

const ids = [...CASES, ...WIRE_CASES].map(({ id }) => id);

let page: string;
beforeAll(async () => {
  page = await readFile(join(import.meta.dirname, "..", "..", "docs", "protocol-coverage.md"), "utf8");
});

const rows = (heading: string) => tableUnder(page, heading);

const named = (text: string) => [...text.matchAll(/`([a-z0-9-]+(?:\.[a-z0-9-]+)+)`/g)].map(([, id]) => id!);

describe("docs/protocol-coverage.md", () => {
  it("names cases that there are, and every case there is", () => {
    expect(new Set(ids).size).toBe(ids.length);
    expect([...new Set(named(page))].sort()).toEqual([...ids].sort());
  });

  it("has a row for each method of the protocol, with a case", () => {
    const methods = rows("Methods");
    expect(methods.map(([method]) => method).sort()).toEqual([...METHODS].sort());
    for (const [method, cases] of methods) expect(named(cases ?? "").length, method).toBeGreaterThan(0);
  });

  it("has a row for each reason a broker gives", () => {
    const reasons = rows("Reasons").flatMap(([reason]) => /^`([A-Z_]+)`$/.exec(reason!)?.[1] ?? []);
    const startup = BROKER_ERROR_CODES.indexOf("UNAUTHENTICATED");
    const given = BROKER_ERROR_CODES.slice(startup).filter(
      (code) => code !== "CANCELLED" && code !== "DEADLINE_EXCEEDED",
    );
    expect(reasons).toEqual(expect.arrayContaining([...given]));
  });
});
