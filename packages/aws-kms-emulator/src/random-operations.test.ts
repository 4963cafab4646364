import * as sdk from "@aws-sdk/client-kms";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { startKmsEmulator } from "./index.js";

/** The little that matters of a key: which of two usages, which state, and the aliases beside it. */
interface ModelKey {
  readonly id: string;
  readonly usage: "SIGN_VERIFY" | "ENCRYPT_DECRYPT";
  state: "Enabled" | "Disabled" | "PendingDeletion";
}
interface Model {
  readonly keys: ModelKey[];
  /** Name → index of the key. */
  readonly aliases: Map<string, number>;
}

type Action = readonly [name: string, key: number, alias: number];
const names = ["alias/a", "alias/b", "alias/c"];
const actions = fc.tuple(
  fc.constantFrom(
    "createSigning",
    "createData",
    "enable",
    "disable",
    "schedule",
    "cancel",
    "createAlias",
    "updateAlias",
    "deleteAlias",
    "describe",
    "describeAlias",
    "use",
  ),
  fc.nat(3),
  fc.nat(2),
);

const invalidState = "KMSInvalidStateException";
const notFound = "NotFoundException";

/** What the service documents for the action in this state; moves the model on. */
function expected(model: Model, [name, k, a]: Action): string {
  const key = model.keys[k];
  const alias = names[a] ?? "";
  const target = model.aliases.get(alias);
  const at = target === undefined ? undefined : model.keys[target];
  const pending = key?.state === "PendingDeletion";
  switch (name) {
    case "createSigning":
    case "createData":
      return "ok";
    case "describeAlias":
      return at === undefined ? notFound : `${at.id} ${at.state}`;
    case "deleteAlias":
      return model.aliases.delete(alias) ? "ok" : notFound;
  }
  if (name === "updateAlias" && at === undefined) return notFound;
  if (key === undefined) return notFound;
  switch (name) {
    case "describe":
      return `${key.id} ${key.state}`;
    case "use":
      return key.state === "Enabled" ? "ok" : key.state === "Disabled" ? "DisabledException" : invalidState;
    case "enable":
    case "disable":
      if (pending) return invalidState;
      key.state = name === "enable" ? "Enabled" : "Disabled";
      return "ok";
    case "schedule":
      if (pending) return invalidState;
      key.state = "PendingDeletion";
      return "ok";
    case "cancel":
      if (!pending) return invalidState;
      key.state = "Disabled";
      return "ok";
    case "createAlias":
      if (at !== undefined) return "AlreadyExistsException";
      if (pending) return invalidState;
      model.aliases.set(alias, k);
      return "ok";
    default:
      if (pending) return invalidState;
      if (at?.usage !== key.usage) return "ValidationException";
      model.aliases.set(alias, k);
      return "ok";
  }
}

const absent = "00000000-0000-4000-8000-000000000000";
const bytes = Uint8Array.of(1);

async function actual(client: sdk.KMSClient, model: Model, [name, k, a]: Action): Promise<string> {
  const key = model.keys[k];
  const KeyId = key?.id ?? absent;
  const AliasName = names[a] ?? "";
  const described = async (id: string) => {
    const { KeyMetadata } = await client.send(new sdk.DescribeKeyCommand({ KeyId: id }));
    return `${KeyMetadata?.KeyId} ${KeyMetadata?.KeyState}`;
  };
  const create = async (usage: ModelKey["usage"]) => {
    const KeySpec = usage === "SIGN_VERIFY" ? "ECC_NIST_P256" : "SYMMETRIC_DEFAULT";
    const { KeyMetadata } = await client.send(new sdk.CreateKeyCommand({ KeySpec, KeyUsage: usage }));
    model.keys.push({ id: KeyMetadata?.KeyId ?? "", usage, state: "Enabled" });
  };
  const perform: Record<string, () => Promise<unknown>> = {
    createSigning: () => create("SIGN_VERIFY"),
    createData: () => create("ENCRYPT_DECRYPT"),
    enable: () => client.send(new sdk.EnableKeyCommand({ KeyId })),
    disable: () => client.send(new sdk.DisableKeyCommand({ KeyId })),
    schedule: () => client.send(new sdk.ScheduleKeyDeletionCommand({ KeyId })),
    cancel: () => client.send(new sdk.CancelKeyDeletionCommand({ KeyId })),
    createAlias: () => client.send(new sdk.CreateAliasCommand({ AliasName, TargetKeyId: KeyId })),
    updateAlias: () => client.send(new sdk.UpdateAliasCommand({ AliasName, TargetKeyId: KeyId })),
    deleteAlias: () => client.send(new sdk.DeleteAliasCommand({ AliasName })),
    describe: () => described(KeyId),
    describeAlias: () => described(AliasName),
    use: () =>
      key?.usage === "SIGN_VERIFY"
        ? client.send(new sdk.SignCommand({ KeyId, Message: bytes, SigningAlgorithm: "ECDSA_SHA_256" }))
        : client.send(new sdk.EncryptCommand({ KeyId, Plaintext: bytes })),
  };
  return (
    perform[name]?.().then(
      (answer) => (typeof answer === "string" ? answer : "ok"),
      (error: Error) => error.name,
    ) ?? ""
  );
}

describe("random sequences of operations", () => {
  it("leave keys and aliases as a small model says", { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(actions, { minLength: 1, maxLength: 40 }), async (sequence) => {
        await using emulator = await startKmsEmulator();
        const credentials = emulator.rootCredentials;
        const client = new sdk.KMSClient({
          requestHandler: emulator.requestHandler,
          region: "us-east-1",
          maxAttempts: 1,
          credentials,
        });
        const model: Model = { keys: [], aliases: new Map() };
        for (const action of sequence) {
          const found = await actual(client, model, action);
          expect([action[0], found]).toEqual([action[0], expected(model, action)]);
        }
        const { Aliases } = await client.send(new sdk.ListAliasesCommand({}));
        const listed = new Map(Aliases?.map(({ AliasName, TargetKeyId }) => [AliasName, TargetKeyId]));
        expect(listed).toEqual(new Map([...model.aliases].map(([name, k]) => [name, model.keys[k]?.id])));
      }),
      { numRuns: 100 },
    );
  });
});
