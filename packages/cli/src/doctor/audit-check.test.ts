import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AgentSettings } from "../config/agent-settings.js";
import { checkAuditLog } from "./audit-check.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "basil-audit-check-"));
});
afterEach(() => rm(folder, { recursive: true }));

const check = (path?: string) => checkAuditLog({ config: { "audit-log": path } } as unknown as AgentSettings, folder);

describe("checkAuditLog", () => {
  it("is content without a log, and with one that the agent will make", async () => {
    expect(await check()).toMatchObject({ status: "ok", detail: "none is configured" });
    expect(await check("audit.jsonl")).toMatchObject({ status: "ok", detail: expect.stringContaining("is made when") });
    expect(await readdir(folder)).toEqual([]);
  });

  it("is content with a log of its own, and with a pipe", async () => {
    await writeFile(join(folder, "audit.jsonl"), "", { mode: 0o600 });
    execFileSync("mkfifo", [join(folder, "pipe")]);
    expect(await check("audit.jsonl")).toMatchObject({ status: "ok" });
    expect(await check("pipe")).toMatchObject({ status: "ok" });
  });

  it("finds a folder that is not there, and a folder in the log's place", async () => {
    expect(await check("logs/audit.jsonl")).toMatchObject({
      status: "fatal",
      remediation: expect.stringContaining(`mkdir -p -m 0700 ${join(folder, "logs")}`),
    });
    await mkdir(join(folder, "logs"));
    expect(await check("logs")).toMatchObject({ status: "fatal", detail: expect.stringContaining("is a folder") });
  });

  it("warns of a log that others can read", async () => {
    await writeFile(join(folder, "audit.jsonl"), "");
    await chmod(join(folder, "audit.jsonl"), 0o644);
    expect(await check("audit.jsonl")).toMatchObject({
      status: "warn",
      detail: expect.stringContaining("mode 0644"),
      remediation: expect.stringMatching(/^chmod 0600 /),
    });
  });
});
