import type { KmsAction, KmsKeyMetadata, KmsOutput } from "../client.js";

/** The calls that the lean wire makes: those that use a key, and the two that read about one. */
export type LeanAction = "Sign" | "Verify" | "Encrypt" | "Decrypt" | "GetPublicKey" | "DescribeKey";

/** A body of AWS JSON 1.1: bytes are base64. https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html */
export function encodeBody(input: object): Buffer {
  const members: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(input))
    members[name] = value instanceof Uint8Array ? base64(value) : value;
  return Buffer.from(JSON.stringify(members));
}

/**
 * The members that are read of an answer. One of another type counts as absent.
 *
 * @throws SyntaxError for a body that is not JSON, or whose bytes are not base64. It quotes nothing of the body.
 */
export function decodeBody<A extends LeanAction>(action: A, body: Uint8Array): KmsOutput<A> {
  const read = OUTPUTS[action] as unknown as (members: Members) => KmsOutput<A>;
  return read(parse(body));
}

type Members = Readonly<Record<string, unknown>>;

const OUTPUTS: { readonly [A in LeanAction]: (members: Members) => KmsOutput<A> } = {
  Sign: (it) => ({ KeyId: text(it.KeyId), Signature: bytes(it.Signature) }),
  Verify: (it) => ({ KeyId: text(it.KeyId), SignatureValid: flag(it.SignatureValid) }),
  Encrypt: (it) => ({ KeyId: text(it.KeyId), CiphertextBlob: bytes(it.CiphertextBlob) }),
  Decrypt: (it) => ({ KeyId: text(it.KeyId), Plaintext: bytes(it.Plaintext) }),
  GetPublicKey: (it) => ({
    KeyId: text(it.KeyId),
    PublicKey: bytes(it.PublicKey),
    KeySpec: text(it.KeySpec),
    KeyUsage: text(it.KeyUsage),
  }),
  DescribeKey: (it) => ({ KeyMetadata: isMembers(it.KeyMetadata) ? metadata(it.KeyMetadata) : undefined }),
};

export function isLeanAction(action: KmsAction): action is LeanAction {
  return Object.hasOwn(OUTPUTS, action);
}

function metadata(it: Members): KmsKeyMetadata {
  return {
    Arn: text(it.Arn),
    KeySpec: text(it.KeySpec),
    KeyUsage: text(it.KeyUsage),
    KeyState: text(it.KeyState),
    Description: text(it.Description),
    MultiRegion: flag(it.MultiRegion),
    CreationDate: time(it.CreationDate),
    DeletionDate: time(it.DeletionDate),
  };
}

function parse(body: Uint8Array): Members {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString());
  } catch {
    // The parser's own message quotes the body, which may be a plaintext.
    throw new SyntaxError("the answer is not JSON");
  }
  return isMembers(value) ? value : {};
}

function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null;
}

const text = (value: unknown) => (typeof value === "string" ? value : undefined);
const flag = (value: unknown) => (typeof value === "boolean" ? value : undefined);
/** Seconds since the epoch, with a fraction. */
const time = (value: unknown) => (typeof value === "number" ? new Date(value * 1000) : undefined);

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function bytes(value: unknown): Uint8Array | undefined {
  if (typeof value !== "string") return undefined;
  if (!BASE64.test(value)) throw new SyntaxError("a member of the answer is not base64");
  const padding = value.endsWith("==") ? 2 : Number(value.endsWith("="));
  // Into memory of its own: a plaintext that went through the pool of small buffers would stay there.
  const decoded = new Uint8Array((value.length / 4) * 3 - padding);
  Buffer.from(decoded.buffer).write(value, "base64");
  return decoded;
}

function base64(value: Uint8Array): string {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64");
}
