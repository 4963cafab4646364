import { KMSClient, UpdateAliasCommand } from "@aws-sdk/client-kms";
import { describe, expect, it } from "vitest";
import { policyOfMe } from "../policy-of-me.js";
import { Stack, type StackOptions } from "../stack.js";

const ALIAS = "alias/app-signer";
const IDS = ["1111abcd-12ab-34cd-56ef-1234567890ab", "2222abcd-12ab-34cd-56ef-1234567890ab"] as const;
const catalog = JSON.stringify({
  schemaVersion: 1,
  backends: { kms: { kind: "aws-kms", addr: "us-east-1", engines: ["transit"] } },
  keys: {
    "app.signer": {
      class: "asymmetric",
      keyType: "ecdsa-p256",
      backend: "kms",
      path: ALIAS,
      writable: false,
      description: "signs for the app",
    },
  },
});
const policy = policyOfMe({ id: "use", subjects: ["me"], action: ["op:sign", "op:verify"], target: ["app.signer"] });
const allow = (...actions: readonly string[]) => ({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: actions, Resource: "*" }],
});
const start = (options: Partial<StackOptions>) =>
  Stack.start({
    catalog,
    policy,
    emulator: { keys: IDS.map((id, index) => ({ id, spec: "ECC_NIST_P256", aliases: index === 0 ? [ALIAS] : [] })) },
    ...options,
  });
const sign = ["sign", "--key-id", "app.signer", "a message"];
const verify = (signature: string) => [
  "verify",
  "--key-id",
  "app.signer",
  "--signature",
  signature.trim(),
  "a message",
];

describe("verify-signatures with aws-kms", () => {
  it("asks for the public key once, and from then on a signature is one request", async () => {
    await using stack = await start({});
    await using agent = await stack.startAgent();
    stack.emulator.clearCalls();
    for (let time = 0; time < 4; time++) expect(await stack.basil(sign), agent.log()).toMatchObject({ code: 0 });
    const made = stack.emulator.calls.map(({ operation }) => operation);
    expect(made.filter((operation) => operation === "Sign")).toHaveLength(4);
    expect(made.filter((operation) => operation === "GetPublicKey")).toHaveLength(1);
    expect(made.slice(-3)).toEqual(["Sign", "Sign", "Sign"]);
  });

  it("signs without kms:GetPublicKey, and tells the operator once which action is missing", async () => {
    await using stack = await start({ iamPolicy: allow("kms:Sign", "kms:DescribeKey") });
    await using agent = await stack.startAgent();
    for (let time = 0; time < 3; time++) expect(await stack.basil(sign), agent.log()).toMatchObject({ code: 0 });
    const told = agent
      .log()
      .split("\n")
      .filter((line) => line.includes("was not verified"));
    expect(told).toHaveLength(1);
    expect(JSON.parse(told[0] ?? "{}")).toMatchObject({
      level: "warn",
      backend: "kms",
      key: "app.signer",
      code: "ACCESS_DENIED",
      action: "kms:GetPublicKey",
    });
  });

  it("of always serves nothing without kms:GetPublicKey, and names it to the operator alone", async () => {
    await using stack = await start({
      iamPolicy: allow("kms:Sign", "kms:DescribeKey"),
      config: 'verify-signatures = "always"',
    });
    await using agent = await stack.startAgent();
    const refused = await stack.basil(sign);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).not.toMatch(/kms:|arn:/);
    expect(agent.log()).toContain("kms:GetPublicKey");
  });

  it.for(["first", "always"])(
    "of %s goes by the key that signed: an alias that was moved by hand is served",
    async (mode) => {
      await using stack = await start({ config: `verify-signatures = "${mode}"` });
      await using agent = await stack.startAgent();
      expect(await stack.basil(sign)).toMatchObject({ code: 0 });
      const { endpoint, rootCredentials: credentials } = stack.emulator;
      const kms = new KMSClient({ region: "us-east-1", endpoint, credentials });
      await kms.send(new UpdateAliasCommand({ AliasName: ALIAS, TargetKeyId: IDS[1] }));
      kms.destroy();
      for (let time = 0; time < 2; time++) {
        const moved = await stack.basil(sign);
        expect(moved, agent.log()).toMatchObject({ code: 0 });
        expect(await stack.basil(verify(moved.stdout))).toMatchObject({ code: 0, stdout: "true\n" });
      }
      expect(agent.log()).toContain("was its alias moved?");
      expect(agent.log()).not.toContain("withheld");
      expect(agent.log()).not.toContain("was not verified");
    },
  );
});
