import type { KmsEmulator } from "@basil/aws-kms-emulator";
import { signedKmsRequest } from "../peers/signed-kms-request.ts";

const BYTE = "AA==";
const signing = { Message: BYTE, SigningAlgorithm: "ECDSA_SHA_256", DryRun: true };
const key = (KeyId: string) => ({ KeyId });

/** Every call here changes nothing, or nothing that another decision depends on. */
const INPUTS: Readonly<Record<string, (resource: string) => object>> = {
  Sign: (KeyId) => ({ KeyId, ...signing }),
  Verify: (KeyId) => ({ KeyId, ...signing, Signature: BYTE }),
  GetPublicKey: key,
  DescribeKey: key,
  Encrypt: (KeyId) => ({ KeyId, Plaintext: BYTE, DryRun: true }),
  Decrypt: (KeyId) => ({ KeyId, DryRun: true, DryRunModifiers: ["IGNORE_CIPHERTEXT"] }),
  GenerateDataKey: (KeyId) => ({ KeyId, KeySpec: "AES_256", DryRun: true }),
  GetKeyPolicy: key,
  ListResourceTags: key,
  EnableKey: key,
  TagResource: (KeyId) => ({ KeyId, Tags: [] }),
  CreateKey: () => ({}),
  ListKeys: () => ({}),
  ListAliases: () => ({}),
};

/** The actions whose decision can be asked for here. */
export const DECIDABLE: readonly string[] = Object.keys(INPUTS).map((name) => `kms:${name}`);
/** Of those, the ones that take an alias in place of a key id, or no key. */
export const DECIDABLE_BY_ALIAS = DECIDABLE.filter(
  (action) => !/KeyPolicy|ResourceTags|EnableKey|TagResource/.test(action),
);

/** The alias and the id of the key it is for, with a blank between. */
const ALIAS_INPUTS: typeof INPUTS = {
  CreateAlias: (both) => ({ AliasName: both.split(" ")[0], TargetKeyId: both.split(" ")[1] }),
  UpdateAlias: (both) => ({ AliasName: both.split(" ")[0], TargetKeyId: both.split(" ")[1] }),
  DeleteAlias: (both) => ({ AliasName: both.split(" ")[0] }),
};

/** What the emulator's IAM decides when this user makes the call: the answer of its log, not of the operation. */
export async function kmsDecision(
  emulator: KmsEmulator,
  user: { readonly accessKeyId: string; readonly secretAccessKey: string },
  action: string,
  /** A key ARN, an alias, or `*`; of an action on aliases an alias and a key id. */
  resource: string,
): Promise<"allow" | "deny"> {
  const operation = action.slice("kms:".length);
  const input = (INPUTS[operation] ?? ALIAS_INPUTS[operation])?.(resource);
  if (input === undefined) throw new TypeError(`no input for ${action}`);
  const { endpoint } = emulator;
  const request = signedKmsRequest({ endpoint, ...user }, operation, input);
  await (await fetch(endpoint, { method: "POST", ...request })).arrayBuffer();
  const decision = emulator.calls.at(-1)?.decision;
  if (decision === "allow" || decision === "deny") return decision;
  throw new Error(`${action} on ${resource} ended before IAM decided: ${emulator.calls.at(-1)?.errorMessage}`);
}
