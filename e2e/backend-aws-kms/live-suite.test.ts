import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { startKmsEmulator } from "@basil/aws-kms-emulator";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../../packages/backend-aws-kms");
const runner = join(dirname(createRequire(import.meta.url).resolve("vitest/package.json")), "vitest.mjs");

/** What `test:live` runs, with an emulator in the place of AWS. */
function runLive(env: Readonly<Record<string, string>>): Promise<{ readonly code: unknown; readonly output: string }> {
  return new Promise((resolve) => {
    const args = [runner, "run", "--config", "live/vitest.config.ts"];
    const options = { cwd: root, env: { PATH: process.env.PATH ?? "", ...env }, maxBuffer: 16 * 1024 * 1024 };
    const child = execFile(process.execPath, args, options, (_, stdout, stderr) => {
      resolve({ code: child.exitCode, output: stdout + stderr });
    });
  });
}

describe("test:live", () => {
  it("passes, prints what it created, takes its aliases away and schedules the deletion of its keys", {
    timeout: 120_000,
  }, async () => {
    await using emulator = await startKmsEmulator({
      keys: [{ spec: "SYMMETRIC_DEFAULT", aliases: ["alias/of/another"] }],
    });
    const { code, output } = await runLive({
      BASIL_AWS_KMS_LIVE: "1",
      AWS_REGION: emulator.region,
      AWS_ENDPOINT_URL: emulator.endpoint,
      AWS_ACCESS_KEY_ID: emulator.rootCredentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: emulator.rootCredentials.secretAccessKey,
      AWS_EC2_METADATA_DISABLED: "true",
      AWS_CONFIG_FILE: "/dev/null",
      AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    });
    expect(code, output).toBe(0);
    const [other, ...made] = emulator.keys.list();
    expect(other).toMatchObject({ state: "Enabled", aliases: ["alias/of/another"] });
    expect(made.length).toBeGreaterThan(10);
    for (const { arn, state, aliases } of made) {
      expect({ state, aliases }).toEqual({ state: "PendingDeletion", aliases: [] });
      expect(output).toContain(arn);
    }
  });

  it("makes nothing unless it is told that it may cost money", { timeout: 60_000 }, async () => {
    const { code, output } = await runLive({});
    expect(code).not.toBe(0);
    expect(output).toContain("set BASIL_AWS_KMS_LIVE=1");
  });
});
