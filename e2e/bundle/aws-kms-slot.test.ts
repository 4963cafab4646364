import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type KmsEmulator, startKmsEmulator } from "@basil/aws-kms-emulator";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { workFolder } from "./basil.js";

// Each command is a process, and each use of a passphrase half a second of a free core.
vi.setConfig({ testTimeout: 120_000 });

const policy = (...Action: string[]) => ({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action, Resource: "*" }],
});
const user = (name: string, ...actions: string[]) => ({
  name,
  accessKeyId: `AKIDEXAMPLE${name.toUpperCase()}`,
  secretAccessKey: `secret-of-${name}`,
  policies: [policy(...actions)],
});
const users = [user("operator", "kms:Encrypt"), user("agent", "kms:Decrypt")] as const;
const as = ({ accessKeyId, secretAccessKey }: (typeof users)[number]) => ({
  env: {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    AWS_EC2_METADATA_DISABLED: "true",
  },
});
const [operator, agent] = users;

/** A bundle that the operator, who may only encrypt, has sealed for the agent, who may only decrypt. */
async function withBundle() {
  const kms: KmsEmulator = await startKmsEmulator({
    keys: [{ spec: "SYMMETRIC_DEFAULT", aliases: ["alias/unseal"] }],
    users: [...users],
  });
  onTestFinished(() => kms.close());
  const work = await workFolder();
  const place = `region=${kms.region},endpoint=${kms.endpoint}`;
  const created = await work.basilWith(
    as(operator),
    "bundle",
    "create",
    "creds.sealed",
    "--slot",
    `aws-kms:key=alias/unseal,${place}`,
  );
  expect(created.status, created.stderr).toBe(0);
  const verify = () => work.basilWith(as(agent), "bundle", "verify", "creds.sealed", "--open", `aws-kms:${place}`);
  return { ...work, kms, created, verify };
}

describe("an aws-kms slot", () => {
  it("is made with kms:Encrypt alone and opens with kms:Decrypt alone", async () => {
    const { created, verify, kms } = await withBundle();
    expect(created.stderr).toContain("slot 0 (aws-kms) was not opened again");
    expect(await verify()).toMatchObject({ status: 0, stdout: expect.stringContaining("opened by slot 0 (aws-kms)") });
    expect(kms.calls.filter(({ principal }) => principal?.endsWith("agent")).map(({ operation }) => operation)).toEqual(
      ["Decrypt"],
    );
  });

  it("does not open without the grant, with a disabled key, or when it was taken from another bundle", async () => {
    const { folder, kms, verify } = await withBundle();
    kms.principals.setPolicies("agent", [policy("kms:Sign")]);
    expect(await verify()).toMatchObject({ status: 1, stderr: expect.stringContaining("kms:Decrypt") });
    kms.principals.setPolicies("agent", [policy("kms:Decrypt")]);
    const [key] = kms.keys.list();
    kms.keys.setState(key?.id ?? "", "Disabled");
    expect(await verify()).toMatchObject({ status: 1, stderr: expect.stringContaining("[SLOT_UNAVAILABLE]") });
    kms.keys.setState(key?.id ?? "", "Enabled");
    expect((await verify()).status).toBe(0);
    const other = await withBundle();
    await writeFile(join(folder, "creds.sealed"), await readFile(join(other.folder, "creds.sealed")));
    expect((await verify()).status).toBe(1);
  });
});
