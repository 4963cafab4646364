import type { KeyType } from "@basil/catalog";
import type { CiphertextEnvelope } from "@basil/core";
import type { Identity } from "@basil/policy";
import {
  AdminService,
  AEAD_NUMBERS,
  type AeadName,
  AeadService,
  type CatalogEntry,
  CiphertextEnvelopeSchema,
  DecryptRequestSchema,
  EncryptRequestSchema,
  ExplainRequestSchema,
  type ExplainResponse,
  GetPublicKeyRequestSchema,
  type GetPublicKeyResponse,
  grpcMethods,
  HealthRequestSchema,
  type HealthResponse,
  KEY_TYPE_NUMBERS,
  KeyType as KeyTypeNumber,
  ListCatalogRequestSchema,
  NewKeyRequestSchema,
  type NewKeyResponse,
  ReadinessRequestSchema,
  type ReadinessResponse,
  SecretService,
  SigningService,
  SignRequestSchema,
  StatusRequestSchema,
  type StatusResponse,
  VerifyRequestSchema,
} from "@basil/proto";
import { create } from "@bufbuild/protobuf";
import { type CallOptions, EmbeddedTransport } from "./embedded-transport.js";
import type { Dispatcher } from "./request/dispatcher.js";

const signing = grpcMethods(SigningService);
const aead = grpcMethods(AeadService);
const secrets = grpcMethods(SecretService);
const admin = grpcMethods(AdminService);

/**
 * A broker's methods for one identity, in process: the same decisions, limits and audit records as over the socket.
 * Every method may throw a {@link BrokerError} whose code is a request's.
 */
export class Caller {
  readonly #transport: EmbeddedTransport;

  /** @internal */
  constructor(dispatcher: Dispatcher, identity: Identity) {
    this.#transport = new EmbeddedTransport(dispatcher, identity);
  }

  /** Signs the whole message. @returns ed25519: 64 bytes. ECDSA: `r ‖ s`, 64, 96 or 132 bytes, never DER. */
  async sign(keyId: string, message: Uint8Array, options: CallOptions = {}): Promise<Uint8Array> {
    return (await this.#transport.unary(signing.sign, create(SignRequestSchema, { keyId, message }), options))
      .signature;
  }

  /** A signature of another width than the key's is `INVALID_REQUEST`, not false. */
  async verify(keyId: string, message: Uint8Array, signature: Uint8Array, options: CallOptions = {}): Promise<boolean> {
    const request = create(VerifyRequestSchema, { keyId, message, signature });
    return (await this.#transport.unary(signing.verify, request, options)).valid;
  }

  /** Encoded as in the protocol: 32 bytes of Ed25519, the uncompressed point of an ECDSA key. */
  publicKey(
    keyId: string,
    options: CallOptions & { readonly version?: number } = {},
  ): Promise<Plain<GetPublicKeyResponse>> {
    const { version } = options;
    const request = create(GetPublicKeyRequestSchema, { keyId, ...(version === undefined ? {} : { version }) });
    return this.#transport.unary(signing.getPublicKey, request, options);
  }

  /** @param keyType - The type in the catalog; undefined for a symmetric entry. */
  newKey(keyId: string, keyType: KeyType | undefined, options: CallOptions = {}): Promise<Plain<NewKeyResponse>> {
    const numbers: Readonly<Partial<Record<KeyType, KeyTypeNumber>>> = KEY_TYPE_NUMBERS;
    const number = keyType === undefined ? KeyTypeNumber.UNSPECIFIED : numbers[keyType];
    if (number === undefined) throw new TypeError(`keyType: ${String(keyType)} has no number in the protocol`);
    return this.#transport.unary(signing.newKey, create(NewKeyRequestSchema, { keyId, keyType: number }), options);
  }

  /** `aad` absent and `aad` empty are different contexts. */
  async encrypt(
    keyId: string,
    plaintext: Uint8Array,
    options: CallOptions & { readonly algorithm?: AeadName; readonly aad?: Uint8Array } = {},
  ): Promise<CiphertextEnvelope & { readonly algorithm: AeadName }> {
    const { algorithm = "aes-256-gcm", aad } = options;
    const request = create(EncryptRequestSchema, {
      keyId,
      algorithm: AEAD_NUMBERS[algorithm],
      plaintext,
      ...(aad === undefined ? {} : { aad }),
    });
    const { envelope } = await this.#transport.unary(aead.encrypt, request, options);
    const { keyVersion, nonce, ciphertext } = envelope!;
    return { algorithm, keyVersion, nonce, ciphertext };
  }

  async decrypt(
    keyId: string,
    envelope: CiphertextEnvelope & { readonly algorithm: AeadName },
    options: CallOptions & { readonly aad?: Uint8Array } = {},
  ): Promise<Uint8Array> {
    const { algorithm, keyVersion, nonce, ciphertext } = envelope;
    const request = create(DecryptRequestSchema, {
      keyId,
      envelope: create(CiphertextEnvelopeSchema, { alg: AEAD_NUMBERS[algorithm], keyVersion, nonce, ciphertext }),
      ...(options.aad === undefined ? {} : { aad: options.aad }),
    });
    return (await this.#transport.unary(aead.decrypt, request, options)).plaintext;
  }

  /** What the identity may know about, in byte order of the name. */
  async list(options: CallOptions & { readonly prefix?: string } = {}): Promise<Plain<CatalogEntry>[]> {
    const { prefix } = options;
    const request = create(ListCatalogRequestSchema, prefix === undefined ? {} : { prefix });
    const entries: CatalogEntry[] = [];
    for await (const entry of this.#transport.serverStream(secrets.listCatalog, request, options)) entries.push(entry);
    return entries;
  }

  /** What the policy that is served decides for a subject, and why. */
  explain(subject: string, op: string, key: string, options: CallOptions = {}): Promise<Plain<ExplainResponse>> {
    return this.#transport.unary(admin.explain, create(ExplainRequestSchema, { subject, op, key }), options);
  }

  status(options: CallOptions = {}): Promise<Plain<StatusResponse>> {
    return this.#transport.unary(admin.status, create(StatusRequestSchema), options);
  }

  health(options: CallOptions = {}): Promise<Plain<HealthResponse>> {
    return this.#transport.unary(admin.health, create(HealthRequestSchema), options);
  }

  readiness(options: CallOptions = {}): Promise<Plain<ReadinessResponse>> {
    return this.#transport.unary(admin.readiness, create(ReadinessRequestSchema), options);
  }
}

/** A message without what its codec adds. */
type Plain<M> = Omit<M, "$typeName" | "$unknown">;
