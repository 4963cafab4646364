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
    "--json",
  );
  expect(created.status, created.stderr).toBe(0);
  const verify = (pin = "") =>
    work.basilWith(as(agent), "bundle", "verify", "creds.sealed", "--open", `aws-kms:${pin}${place}`);
  const bundleId: string = JSON.parse(created.stdout).bundleId;
  return { ...work, kms, created, verify, bundleId };
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

  it("opens for an agent whose grant is for this bundle only, and not for one whose grant is for another", async () => {
    const { kms, verify, bundleId } = await withBundle();
    const grantFor = (id: string) => {
      const Condition = {
        StringEquals: { "kms:EncryptionContext:basil:bundle": id, "kms:EncryptionContext:basil:slot": "0" },
      };
      const { Statement, Version } = policy("kms:Decrypt");
      return { Version, Statement: Statement.map((statement) => ({ ...statement, Condition })) };
    };
    kms.principals.setPolicies("agent", [grantFor(bundleId)]);
    expect(await verify()).toMatchObject({ status: 0 });
    kms.principals.setPolicies("agent", [grantFor("AAAAAAAAAAAAAAAAAAAAAA")]);
    expect(await verify()).toMatchObject({ status: 1, stderr: expect.stringContaining("kms:Decrypt") });
  });

  it("does not open without the grant, with a disabled key, or with another key in its place", async () => {
    const { kms, verify } = await withBundle();
    kms.principals.setPolicies("agent", [policy("kms:Sign")]);
    expect(await verify()).toMatchObject({ status: 1, stderr: expect.stringContaining("kms:Decrypt") });
    kms.principals.setPolicies("agent", [policy("kms:Decrypt")]);
    const [key] = kms.keys.list();
    kms.keys.setState(key?.id ?? "", "Disabled");
    expect(await verify()).toMatchObject({ status: 1, stderr: expect.stringContaining("[SLOT_UNAVAILABLE]") });
    kms.keys.setState(key?.id ?? "", "Enabled");
    const other = await kms.keys.create({ spec: "SYMMETRIC_DEFAULT" });
    expect((await verify(`key=${other.arn},`)).status).toBe(1);
    expect((await verify()).status).toBe(0);
  });
});
