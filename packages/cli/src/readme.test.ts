import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { DEFAULT_LIMITS, type Limits } from "@basil/broker";
import { describe, expect, it } from "vitest";
import { tableUnder } from "../../../tests/markdown-table.js";
import type { CliErrorCode } from "./cli-error.js";
import { commands } from "./commands.js";
import { type AgentConfig, agentConfigSchema } from "./config/agent-config.js";
import { exitCodeOf } from "./exit-code.js";

const readme = await readFile(join(import.meta.dirname, "../README.md"), "utf8");

const table = (heading: string) => tableUnder(readme, heading);

/** Every code, held complete by the compiler. */
const CODES = {
  USAGE: true,
  FILE: true,
  DOCUMENT_REFUSED: true,
  UNSUPPORTED: true,
  PACKAGE_MISSING: true,
  PLUGIN_REFUSED: true,
  UNREACHABLE: true,
  DENIED: true,
  DEADLINE: true,
  UNAVAILABLE: true,
  TOO_LARGE: true,
  FAILED: true,
} satisfies Record<CliErrorCode, true>;

/** The broker's name of each limit, held complete by the compiler. */
const LIMITS = {
  "max-connections": "maxConnections",
  "max-streams": "maxStreams",
  "max-in-flight": "maxInFlight",
  "max-in-flight-per-caller": "maxInFlightPerCaller",
  "max-waiting-per-caller": "maxWaitingPerCaller",
  "max-open-bytes": "maxOpenBytes",
  "max-open-bytes-per-user": "maxOpenBytesPerUser",
  "receive-timeout-secs": "receiveTimeoutMs",
  "idle-timeout-secs": "idleTimeoutMs",
} satisfies Record<keyof AgentConfig["limits"], keyof Limits>;

describe("README", () => {
  it("lists every error code with its exit code", () => {
    const listed = table("Errors").map(([code, , exit]) => [code?.replaceAll("`", ""), Number(exit)]);
    expect(listed).toEqual(Object.keys(CODES).map((code) => [code, exitCodeOf(code as CliErrorCode)]));
  });

  it("lists every command", () => {
    const listed = table("Commands").flatMap(([cell]) =>
      [...(cell ?? "").matchAll(/`([a-z-]+)(?: …)?`/g)].map(([, name]) => name),
    );
    expect(listed.sort()).toEqual(commands.map(({ name }) => name).sort());
  });

  it("names every limit, with the broker's default", () => {
    const { limits } = agentConfigSchema.shape;
    const rows = new Map(table("Configuration file").map(([key, , fallback]) => [key, fallback]));
    for (const key of Object.keys(limits.unwrap().shape)) {
      const bytesOrCount = DEFAULT_LIMITS[LIMITS[key as keyof typeof LIMITS]];
      const fallback = key.endsWith("-secs") ? bytesOrCount / 1000 : bytesOrCount;
      expect(rows.get(`\`[limits] ${key}\``)).toMatch(new RegExp(`^${fallback}\\b`));
    }
  });

  it("names only configuration keys that there are", () => {
    const { shape } = agentConfigSchema;
    const tables = { unlock: shape.unlock, metrics: shape.metrics, limits: shape.limits };
    const known = Object.entries(tables).flatMap(([table, schema]) =>
      Object.keys(schema.unwrap().shape).flatMap((key) =>
        table === "unlock" ? [key, `[unlock] ${key}`] : `[${table}] ${key}`,
      ),
    );
    for (const [cell] of table("Configuration file")) {
      for (const [, name] of (cell ?? "").matchAll(/`([^`]+)`/g))
        expect([...Object.keys(shape), ...known]).toContain(name);
    }
  });
});
