import {
  createCipheriv,
  createDecipheriv,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  randomUUID,
  sign,
  verify,
} from "node:crypto";
import { within } from "@basil/core";
import type { KmsAction, KmsAnswer, KmsCalls, KmsInput, KmsOutput } from "../src/client.js";
import { LONGEST_TIMER_MS } from "../src/options.js";

/** A failure as the AWS SDK throws it: the code is the name. */
export function kmsFailure(
  name: string,
  message = "",
  $metadata: { httpStatusCode?: number; requestId?: string } = {},
) {
  return Object.assign(new Error(message), { name, $metadata: { httpStatusCode: 400, ...$metadata } });
}

interface FakeKey {
  readonly id: string;
  readonly arn: string;
  readonly spec: string;
  readonly usage: string;
  readonly description: string;
  readonly privateKey?: KeyObject;
  readonly secret: Buffer;
  state: string;
}

const CURVES: Readonly<Record<string, string>> = {
  ECC_NIST_P256: "P-256",
  ECC_NIST_P384: "P-384",
  ECC_NIST_P521: "P-521",
};

/** KMS behind the narrow interface: state, aliases and real keys, no wire. `before` may fail a call or hold it up. */
export class FakeKms implements KmsCalls {
  readonly requests: { action: KmsAction; input: Readonly<Record<string, unknown>> }[] = [];
  readonly keys = new Map<string, FakeKey>();
  readonly aliases = new Map<string, string>();
  before: (action: KmsAction, input: Readonly<Record<string, unknown>>, signal: AbortSignal) => unknown = () => {};
  after: (action: KmsAction, input: Readonly<Record<string, unknown>>, signal: AbortSignal) => unknown = () => {};
  closed = false;

  call<A extends KmsAction>(
    action: A,
    input: KmsInput<A>,
    signal: AbortSignal,
    endsAt: number = Number.POSITIVE_INFINITY,
  ): Promise<KmsAnswer<A>> {
    const limitMs = Math.min(endsAt - performance.now(), LONGEST_TIMER_MS);
    return within(limitMs, signal, (limited) => this.#answer(action, input, limited));
  }

  async #answer<A extends KmsAction>(action: A, input: KmsInput<A>, signal: AbortSignal): Promise<KmsAnswer<A>> {
    this.requests.push({ action, input: { ...input } });
    await this.before(action, { ...input }, signal);
    const handler = this[action] as (input: KmsInput<A>) => KmsOutput<A>;
    const output = handler.call(this, input);
    await this.after(action, { ...input }, signal);
    return { output, requestId: randomUUID(), attempts: 1 };
  }

  close(): void {
    this.closed = true;
  }

  count(action: KmsAction): number {
    return this.requests.filter((request) => request.action === action).length;
  }

  create(spec: string, usage: string, alias?: string): FakeKey {
    const { KeyMetadata } = this.CreateKey({
      KeySpec: spec,
      KeyUsage: usage,
      Description: "",
    } as KmsInput<"CreateKey">);
    const key = this.#find(KeyMetadata?.Arn ?? "");
    if (alias !== undefined) this.aliases.set(alias, key.id);
    return key;
  }

  private CreateKey({
    KeySpec: spec,
    KeyUsage: usage,
    Description: description,
  }: KmsInput<"CreateKey">): KmsOutput<"CreateKey"> {
    const id = randomUUID();
    const curve = CURVES[spec];
    const privateKey =
      spec === "ECC_NIST_EDWARDS25519"
        ? generateKeyPairSync("ed25519").privateKey
        : curve && generateKeyPairSync("ec", { namedCurve: curve }).privateKey;
    const arn = `arn:aws:kms:us-east-1:111122223333:key/${id}`;
    this.keys.set(id, {
      id,
      arn,
      spec,
      usage,
      description,
      secret: randomBytes(32),
      state: "Enabled",
      ...(privateKey && { privateKey }),
    });
    return { KeyMetadata: this.#metadata(id) };
  }

  private CreateAlias({ AliasName, TargetKeyId }: KmsInput<"CreateAlias">): KmsOutput<"CreateAlias"> {
    if (this.aliases.has(AliasName))
      throw kmsFailure("AlreadyExistsException", `An alias with the name ${AliasName} already exists`);
    this.aliases.set(AliasName, this.#find(TargetKeyId).id);
    return {};
  }

  private UpdateAlias({ AliasName, TargetKeyId }: KmsInput<"UpdateAlias">): KmsOutput<"UpdateAlias"> {
    if (!this.aliases.has(AliasName)) throw kmsFailure("NotFoundException", `Alias ${AliasName} is not found.`);
    this.aliases.set(AliasName, this.#find(TargetKeyId).id);
    return {};
  }

  private ListAliases({ KeyId, Limit, Marker }: KmsInput<"ListAliases">): KmsOutput<"ListAliases"> {
    const all = [...this.aliases].filter(([, id]) => id === KeyId).map(([AliasName]) => ({ AliasName }));
    const from = Number(Marker ?? 0);
    const more = from + Limit < all.length;
    return {
      Aliases: all.slice(from, from + Limit),
      Truncated: more,
      ...(more && { NextMarker: String(from + Limit) }),
    };
  }

  private ListKeys({ Limit, Marker }: KmsInput<"ListKeys">): KmsOutput<"ListKeys"> {
    const all = [...this.keys.values()];
    const from = Number(Marker ?? 0);
    const more = from + Limit < all.length;
    return {
      Keys: all.slice(from, from + Limit).map(({ arn }) => ({ KeyArn: arn })),
      Truncated: more,
      ...(more && { NextMarker: String(from + Limit) }),
    };
  }

  private DescribeKey({ KeyId }: KmsInput<"DescribeKey">): KmsOutput<"DescribeKey"> {
    return { KeyMetadata: this.#metadata(this.#find(KeyId).id) };
  }

  private GetPublicKey({ KeyId }: KmsInput<"GetPublicKey">): KmsOutput<"GetPublicKey"> {
    const { arn, spec, usage, privateKey } = this.#usable(KeyId);
    if (!privateKey) throw kmsFailure("UnsupportedOperationException");
    const der = createPublicKey(privateKey).export({ type: "spki", format: "der" });
    return { KeyId: arn, PublicKey: new Uint8Array(der), KeySpec: spec, KeyUsage: usage };
  }

  private Sign({ KeyId, Message, MessageType, SigningAlgorithm }: KmsInput<"Sign">): KmsOutput<"Sign"> {
    const { arn, privateKey } = this.#signing(KeyId);
    if (SigningAlgorithm !== "ED25519_SHA_512")
      throw new Error("ECDSA over a digest is the emulator's; give this fake an ed25519 key");
    if (MessageType !== "RAW") throw kmsFailure("ValidationException");
    return { KeyId: arn, Signature: new Uint8Array(sign(null, Message, privateKey)) };
  }

  private Verify({ KeyId, Message, Signature }: KmsInput<"Verify">): KmsOutput<"Verify"> {
    const { arn, privateKey } = this.#signing(KeyId);
    if (!verify(null, Message, createPublicKey(privateKey), Signature))
      throw kmsFailure("KMSInvalidSignatureException");
    return { KeyId: arn, SignatureValid: true };
  }

  private Encrypt({ KeyId, Plaintext, EncryptionContext }: KmsInput<"Encrypt">): KmsOutput<"Encrypt"> {
    const { arn, id, secret } = this.#usable(KeyId);
    const nonce = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", secret, nonce).setAAD(aadOf(EncryptionContext));
    const sealed = Buffer.concat([cipher.update(Plaintext), cipher.final(), cipher.getAuthTag()]);
    return { KeyId: arn, CiphertextBlob: new Uint8Array(Buffer.concat([Buffer.from(id), nonce, sealed])) };
  }

  private Decrypt({ KeyId, CiphertextBlob, EncryptionContext }: KmsInput<"Decrypt">): KmsOutput<"Decrypt"> {
    const { arn, id, secret } = this.#usable(KeyId);
    const blob = Buffer.from(CiphertextBlob);
    const of = blob.subarray(0, 36).toString();
    if (this.keys.has(of) && of !== id) throw kmsFailure("IncorrectKeyException");
    try {
      const opener = createDecipheriv("aes-256-gcm", secret, blob.subarray(36, 48)).setAAD(aadOf(EncryptionContext));
      opener.setAuthTag(blob.subarray(-16));
      const plaintext = Buffer.concat([opener.update(blob.subarray(48, -16)), opener.final()]);
      return { KeyId: arn, Plaintext: new Uint8Array(plaintext) };
    } catch {
      throw kmsFailure("InvalidCiphertextException");
    }
  }

  #find(keyId: string): FakeKey {
    const id = keyId.startsWith("alias/") ? this.aliases.get(keyId) : keyId.slice(keyId.lastIndexOf("/") + 1);
    const key = this.keys.get(id ?? "");
    if (key) return key;
    throw kmsFailure("NotFoundException", `${keyId} is not found.`);
  }

  #usable(keyId: string): FakeKey {
    const key = this.#find(keyId);
    if (key.state === "Disabled") throw kmsFailure("DisabledException", `${key.arn} is disabled.`);
    if (key.state !== "Enabled") throw kmsFailure("KMSInvalidStateException", `${key.arn} is pending deletion.`);
    return key;
  }

  #signing(keyId: string): FakeKey & { privateKey: KeyObject } {
    const key = this.#usable(keyId);
    const { privateKey } = key;
    if (!privateKey) throw kmsFailure("InvalidKeyUsageException");
    return { ...key, privateKey };
  }

  #metadata(id: string) {
    const { arn, spec, usage, state, description } = this.#find(id);
    return { Arn: arn, KeySpec: spec, KeyUsage: usage, KeyState: state, Description: description, MultiRegion: false };
  }
}

function aadOf(context: Readonly<Record<string, string>> = {}): Buffer {
  return Buffer.from(JSON.stringify(Object.entries(context)));
}
