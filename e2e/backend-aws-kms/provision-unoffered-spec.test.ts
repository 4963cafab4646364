import { describe, expect, it } from "vitest";
import { policyOfMe } from "../policy-of-me.js";
import { Stack } from "../stack.js";
import { openAccount } from "./account.js";

const REFUSED = "ECC_NIST_EDWARDS25519 is not offered by KMS in eu-north-1";
const emulator = { region: "eu-north-1", unofferedKeySpecs: ["ECC_NIST_EDWARDS25519"] } as const;
const catalog = (missing: "error" | "generate" | "warn") => ({
  schemaVersion: 1,
  backends: {
    kms: { kind: "aws-kms", addr: "aws-kms:eu-north-1", engines: ["transit"], mintKeyTypes: ["ed25519", "ecdsa-p256"] },
  },
  keys: {
    "release.signing": {
      class: "asymmetric",
      keyType: "ed25519",
      backend: "kms",
      engine: "transit",
      path: "alias/basil/release",
      writable: true,
      missing,
      description: "Release signing key",
    },
  },
});
const policy = policyOfMe({
  id: "makes",
  subjects: ["me"],
  action: ["op:new_key", "op:sign"],
  target: ["release.signing"],
});

/** A deployment in that region. */
async function openStack(missing: "generate" | "warn") {
  const stack = await Stack.start({ catalog: JSON.stringify(catalog(missing)), policy, emulator });
  const backend = "id=kms,type=aws-kms,region=eu-north-1";
  const open = `passphrase:file=${stack.folder}/pass`;
  const line = ["bundle", "set-backend", `${stack.folder}/creds.sealed`, "--backend", backend, "--open", open];
  expect(await stack.basil(line)).toMatchObject({ code: 0 });
  return stack;
}

describe("a key spec that the region does not offer", { timeout: 60_000 }, () => {
  it("is named by basil provision, with the region, and no key is left behind", async () => {
    await using account = await openAccount(emulator);
    await account.write("catalog.json", catalog("error"));
    const line = "basil provision --catalog catalog.json --region eu-north-1 --yes";
    const answer = await account.type(line, account.as("provisioner"));
    expect(answer.exitCode).toBe(1);
    expect(answer.stderr).toContain(REFUSED);
    expect(JSON.parse(answer.stdout)).toMatchObject({
      created: 0,
      keys: [{ outcome: "failed", error: expect.stringContaining(REFUSED) }],
    });
    expect(account.emulator.keys.list()).toEqual([]);
    // Nothing was left half made: where it is offered, the next run makes it.
    const again = await account.type(line, account.as("again"));
    expect(again.stderr).not.toContain("an earlier run");
  });

  it("ends the start of an agent that is to generate the key, and its log says why", async () => {
    await using stack = await openStack("generate");
    const ended = await stack.refusedAgent();
    expect(ended).toMatchObject({ code: 1, socketExists: false });
    expect(ended.stdout + ended.stderr).toContain(REFUSED);
  });

  it("is refused to who asks for a new key, and the operator's log names spec and region", async () => {
    await using stack = await openStack("warn");
    await using agent = await stack.startAgent();
    const answer = await stack.basil(["new-key", "--key-type", "ed25519", "--key-id", "release.signing"]);
    expect(answer).toMatchObject({ code: 1, stdout: "" });
    expect(answer.stderr).toContain("UNSUPPORTED_ALGORITHM");
    expect(answer.stderr).toContain("the broker's log says what is not offered, and in which region");
    expect(agent.log()).toContain(REFUSED);
    expect(stack.emulator.keys.list()).toEqual([]);
  });
});
