import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { tableUnder } from "../../tests/markdown-table.ts";

const root = join(import.meta.dirname, "../..");
const read = (path: string) => readFile(join(root, path), "utf8");

async function sources(folder: string): Promise<string> {
  const names = await readdir(join(root, folder), { recursive: true });
  const files = names.filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"));
  return (await Promise.all(files.map((name) => read(join(folder, name))))).join("\n");
}

describe("docs/threat-model.md", () => {
  it("names tests that there are", async () => {
    const page = (await read("docs/threat-model.md")).replaceAll(/\s+/g, " ");
    const named = [...page.matchAll(/`([^`]+\.test\.ts)` › (.+?)(?: \||\)[.,;:]? |\)$|\); )/g)];
    expect(named.length).toBe(page.split(".test.ts` › ").length - 1);
    expect(named.length).toBeGreaterThan(25);
    const absent: string[] = [];
    for (const [, file = "", title = ""] of named) {
      if (!(await read(file)).includes(`"${title}`)) absent.push(`${file} › ${title}`);
    }
    expect(absent).toEqual([]);
  });
});

describe("docs/operations.md", () => {
  it("explains log lines that there are, at the level they have", async () => {
    const code = (await sources("packages/broker/src")) + (await sources("packages/cli/src"));
    const listed = tableUnder(await read("docs/operations.md"), "What the log says").flatMap(
      ([messages = "", level = ""]) =>
        [...messages.matchAll(/`([^`]+)`/g)].map(([, message = ""]) => ({ message, level })),
    );
    expect(listed.length).toBeGreaterThan(25);
    for (const { message, level } of listed) {
      const escaped = message.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
      expect(code).toMatch(new RegExp(`ogger\\.${level}\\([^;]*"${escaped}"`));
    }
  });

  it("names every metric that there is, and no other", async () => {
    const code = await sources("packages/broker/src/metrics");
    const names = tableUnder(await read("docs/operations.md"), "Metrics").flatMap(
      ([cell = ""]) => cell.match(/basil_\w+/g) ?? [],
    );
    const made = [...code.matchAll(/"(basil_\w+)"/g)].map(([, name]) => name);
    expect(names.toSorted()).toEqual([...new Set(made)].toSorted());
  });

  it("explains every member of an audit line, and no other", async () => {
    const code = await read("packages/broker/src/audit/authz-record.ts");
    const record = code.slice(code.indexOf("return {"), code.indexOf("\n  };\n"));
    const members = [...record.matchAll(/^ {4}(\w+)[:,]/gm)].map(([, member = ""]) => member);
    const listed = tableUnder(await read("docs/operations.md"), "What a line says").flatMap(([cell = ""]) =>
      [...cell.matchAll(/`(\w+)`/g)].map(([, member = ""]) => member),
    );
    expect(members.length).toBeGreaterThan(20);
    expect(listed.toSorted()).toEqual([...members, "previous_hash", "seq"].toSorted());
  });

  it("gives the limits their defaults", async () => {
    const code = await sources("packages/broker/src");
    for (const line of ["maxConnections: 512", "maxStreams: 256", "maxInFlight: 256", "maxInFlightPerCaller: 128"]) {
      expect(code).toContain(line);
    }
    expect(code).toContain("maxWaitingPerCaller: 256");
    expect(code).toContain("idleTimeoutMs: 600_000");
    for (const line of ["maxOpenBytes: 67_108_864", "maxOpenBytesPerUser: 33_554_432", "receiveTimeoutMs: 30_000"]) {
      expect(code).toContain(line);
    }
    for (const line of ["maxHealthWatches: 256", "maxHealthWatchesPerUser: 64", "healthWatchIntervalMs: 10_000"]) {
      expect(code).toContain(line);
    }
  });
});
