import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { policyOfMe } from "./policy-of-me.js";
import { Stack, seed } from "./stack.js";

const SIX = ["kms:Sign", "kms:Verify", "kms:GetPublicKey", "kms:DescribeKey", "kms:Encrypt", "kms:Decrypt"] as const;
const KEYS = {
  signing: {
    id: "1111abcd-12ab-34cd-56ef-1234567890ab",
    spec: "ECC_NIST_P256",
    alias: "alias/basil/jwt-signing-primary",
  },
  aead: { id: "2222abcd-12ab-34cd-56ef-1234567890ab", spec: "SYMMETRIC_DEFAULT", alias: "alias/basil/payload-aead" },
} as const;

interface IamPolicy {
  Statement: { Action: string[] }[];
}

const policy = policyOfMe({
  id: "use",
  subjects: ["me"],
  action: ["op:sign", "op:verify", "op:get_public_key", "op:encrypt", "op:decrypt"],
  target: ["jwt.signing.primary", "payload.aead"],
});

/** The keys stand under the very ids that the page's runtime policy lists, so that the policy is used as it is printed. */
const startStack = async (iamPolicy: IamPolicy): Promise<Stack> =>
  Stack.start({
    catalog: await seed.text("catalog.json"),
    policy,
    iamPolicy,
    emulator: { keys: Object.values(KEYS).map(({ id, spec, alias }) => ({ id, spec, aliases: [alias] })) },
  });

const without = (runtime: IamPolicy, action: string): IamPolicy => ({
  ...runtime,
  Statement: runtime.Statement.map((statement) => ({
    ...statement,
    Action: statement.Action.filter((one) => one !== action),
  })),
});

const sign = ["sign", "--key-id", "jwt.signing.primary", "a message"];
const encrypt = ["encrypt", "--key-id", "payload.aead", "--aad-hex", "beef", "a plaintext"];
const verify = (signature: string): string[] => [
  "verify",
  "--key-id",
  "jwt.signing.primary",
  "--signature",
  signature,
  "a message",
];
const decrypt = (encrypted: string): string[] => {
  const field = (name: string): string => new RegExp(`^${name}: ?(.*)$`, "m").exec(encrypted)?.[1] ?? "";
  const envelope = ["--algorithm", field("algorithm"), "--version", field("version"), "--nonce", field("nonce")];
  return ["decrypt", "--key-id", "payload.aead", ...envelope, "--ciphertext", field("ciphertext"), "--aad-hex", "beef"];
};

describe("the runtime identity under the page's runtime policy", () => {
  let runtime: IamPolicy;
  let stack: Stack;
  beforeAll(async () => {
    runtime = (await seed.json("iam-runtime.json")) as IamPolicy;
    stack = await startStack(runtime);
  });
  afterAll(async () => stack[Symbol.asyncDispose]());

  it("calls each of the six actions and no other", async () => {
    stack.emulator.clearCalls();
    await using agent = await stack.startAgent();
    const signed = await stack.basil(sign);
    expect(signed, agent.log()).toMatchObject({ code: 0, stderr: "" });
    const verified = await stack.basil(verify(signed.stdout.trim()));
    expect(verified).toEqual({ code: 0, stdout: "true\n", stderr: "" });
    expect(await stack.basil(["pubkey", "--key-id", "jwt.signing.primary", "--format", "pem"])).toMatchObject({
      code: 0,
    });
    const encrypted = await stack.basil(encrypt);
    expect(encrypted).toMatchObject({ code: 0, stderr: "" });
    const decrypted = await stack.basil(decrypt(encrypted.stdout));
    expect(decrypted).toMatchObject({ code: 0, stdout: `${Buffer.from("a plaintext").toString("hex")}\n` });
    // An alias that is not there ends before any decision, so the operation is what every record has.
    expect(new Set(stack.emulator.calls.map(({ operation }) => `kms:${operation}`))).toEqual(new Set(SIX));
    expect(stack.emulator.calls.map(({ decision }) => decision)).not.toContain("deny");
  });
});

describe.for(SIX)("the runtime policy without %s", (action) => {
  it("fails what needs it, names it in the log, and tells the caller nothing of AWS", async () => {
    const runtime = (await seed.json("iam-runtime.json")) as IamPolicy;
    await using stack = await startStack(runtime);
    // Signature and ciphertext are made while everything is granted; then the action is taken out.
    let signature: string;
    let encrypted: string;
    {
      await using agent = await stack.startAgent();
      signature = (await stack.basil(sign)).stdout.trim();
      encrypted = (await stack.basil(encrypt)).stdout;
      expect([signature, encrypted], agent.log()).not.toContain("");
    }
    stack.emulator.principals.setPolicies(stack.runtime.name, [JSON.stringify(without(runtime, action))]);
    if (action === "kms:DescribeKey") {
      const refused = await stack.refusedAgent();
      expect(refused).toMatchObject({ code: 1, socketExists: false });
      expect(refused.stdout + refused.stderr).toContain("kms:DescribeKey");
      return;
    }
    const needing: Readonly<Record<string, readonly string[]>> = {
      "kms:Sign": sign,
      "kms:Verify": verify(signature),
      "kms:GetPublicKey": ["pubkey", "--key-id", "jwt.signing.primary", "--format", "pem"],
      "kms:Encrypt": encrypt,
      "kms:Decrypt": decrypt(encrypted),
    };
    await using agent = await stack.startAgent();
    const failed = await stack.basil(needing[action] ?? []);
    expect(failed.code).toBe(1);
    expect(failed.stdout + failed.stderr).not.toMatch(/arn:|alias\/|111122223333|kms:/);
    expect(agent.log()).toContain(action);
    expect(stack.emulator.calls.at(-1)).toMatchObject({ action, decision: "deny" });
  });
});
