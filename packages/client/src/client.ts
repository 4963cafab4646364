import {
  AdminService,
  AEAD_NUMBERS,
  type AeadName,
  AeadService,
  aeadName,
  CiphertextEnvelopeSchema,
  DecryptRequestSchema,
  EncryptRequestSchema,
  ExplainRequestSchema,
  GetPublicKeyRequestSchema,
  GetSecretRequestSchema,
  grpcMethods,
  HealthRequestSchema,
  ImportRequestSchema,
  ImportSetRequestSchema,
  InvocationService,
  IssueCertificateRequestSchema,
  KEY_TYPE_NUMBERS,
  KeyType,
  type KeyTypeName,
  keyTypeName,
  ListCatalogRequestSchema,
  MintingService,
  MintJwtRequestSchema,
  NewKeyRequestSchema,
  ReadinessReason,
  ReadinessRequestSchema,
  ReloadRequestSchema,
  RevokeRequestSchema,
  RotateSecretRequestSchema,
  SealedRequestSchema,
  SecretService,
  SetSecretRequestSchema,
  SigningService,
  SignRequestSchema,
  StatusRequestSchema,
  VerifyRequestSchema,
  WatchRequestSchema,
} from "@basil/proto";
import { create } from "@bufbuild/protobuf";
import { brokerEvent, EVENT_KINDS, explainAnswer, reloadAnswer } from "./admin-answers.js";
import type {
  BrokerEvent,
  BrokerHealth,
  BrokerReadiness,
  BrokerStatus,
  CatalogItem,
  CertificateSubject,
  Envelope,
  ExplainAnswer,
  IssuedCertificate,
  NewKey,
  PublicKey,
  ReloadAnswer,
  Revocation,
  SealedAnswer,
  Secret,
  Token,
} from "./answers.js";
import { catalogItem } from "./catalog-item.js";
import { EnvelopeClient } from "./envelope-client.js";
import { ClientError } from "./errors.js";
import { type ImportedKey, importEntry, type KeyMaterial } from "./key-material.js";
import { NatsClient } from "./nats-client.js";
import { oneOf } from "./one-of.js";
import { tokenOf } from "./token.js";
import type { CallOptions, Transport } from "./transport.js";
import { ttlOf, wholeSeconds } from "./ttl.js";

const signing = grpcMethods(SigningService);
const aead = grpcMethods(AeadService);
const secrets = grpcMethods(SecretService);
const admin = grpcMethods(AdminService);
const minting = grpcMethods(MintingService);
const invocation = grpcMethods(InvocationService);

export interface NewKeyOptions extends CallOptions {
  /**
   * The catalog's name of the type that the key must have, for a symmetric type above all, which has no number on the wire.
   * This broker refuses another one with `INVALID_REQUEST`; Basil 0.7.1 ignores it.
   */
  readonly expectKeyType?: string;
}

/**
 * A broker's methods. Keys are named as in its catalog. Every method may end in a {@link ClientError} of
 * `UNAUTHENTICATED`, `UNAUTHORIZED`, `UNREACHABLE`, `BACKEND_UNAVAILABLE`, `BACKEND_ERROR`, `LIMIT_EXCEEDED`,
 * `INTERNAL`, `CANCELLED`, `DEADLINE_EXCEEDED`, `PROTOCOL` or `CLOSED`; the others are named at the method.
 */
export class Client implements AsyncDisposable {
  readonly #transport: Transport;
  /** The methods for envelopes sealed to public keys. */
  readonly envelopes: EnvelopeClient;
  /** The methods for NATS. */
  readonly nats: NatsClient;

  /** Takes the transport over: disposing the client disposes it. */
  constructor(transport: Transport) {
    this.#transport = transport;
    this.envelopes = new EnvelopeClient(transport);
    this.nats = new NatsClient(transport);
  }

  /**
   * Signs the whole message, which the backend hashes as the key's type demands.
   *
   * @returns ed25519: 64 bytes. ECDSA: `r ‖ s`, 64, 96 or 132 bytes.
   * @throws {@link ClientError} also `INVALID_REQUEST`, `PAYLOAD_TOO_LARGE`, `UNSUPPORTED`, `UNSUPPORTED_ALGORITHM`.
   */
  async sign(keyId: string, message: Uint8Array, options: CallOptions = {}): Promise<Uint8Array> {
    const request = create(SignRequestSchema, { keyId, message });
    return (await this.#transport.unary(signing.sign, request, options)).signature;
  }

  /**
   * Whether `signature` is one of `message` by the key. One of another width is `INVALID_REQUEST`, not false.
   *
   * @throws {@link ClientError} also `INVALID_REQUEST`, `PAYLOAD_TOO_LARGE`, `UNSUPPORTED`, `UNSUPPORTED_ALGORITHM`.
   */
  async verify(keyId: string, message: Uint8Array, signature: Uint8Array, options: CallOptions = {}): Promise<boolean> {
    const request = create(VerifyRequestSchema, { keyId, message, signature });
    return (await this.#transport.unary(signing.verify, request, options)).valid;
  }

  /** @throws {@link ClientError} also `INVALID_REQUEST` for a class of key that has no public half. */
  async getPublicKey(keyId: string, options: CallOptions & { readonly version?: number } = {}): Promise<PublicKey> {
    const { version } = options;
    const request = create(GetPublicKeyRequestSchema, { keyId, ...(version === undefined ? {} : { version }) });
    const answer = await this.#transport.unary(signing.getPublicKey, request, options);
    const keyType = keyTypeName(answer.keyType);
    if (keyType === undefined) {
      throw new ClientError("PROTOCOL", `the broker gave a public key of unknown type ${answer.keyType}`, {});
    }
    return { keyId: answer.keyId, keyType, publicKey: answer.publicKey, version: answer.version };
  }

  /**
   * Creates the key of a catalog entry that has none yet.
   *
   * @param keyType - The type in the catalog; undefined for a symmetric entry.
   * @throws {@link ClientError} also `INVALID_REQUEST` when the type is another or the key is already there,
   *   `UNSUPPORTED_ALGORITHM` when the backend may not create it.
   */
  async newKey(keyId: string, keyType: KeyTypeName | undefined, options: NewKeyOptions = {}): Promise<NewKey> {
    const { expectKeyType, ...call } = options;
    const metadata = expectKeyType === undefined ? {} : { metadata: { "basil-expect-key-type": expectKeyType } };
    const number = keyType === undefined ? KeyType.UNSPECIFIED : oneOf(KEY_TYPE_NUMBERS, "keyType", keyType);
    const request = create(NewKeyRequestSchema, { keyId, keyType: number });
    const answer = await this.#transport.unary(signing.newKey, request, { ...call, ...metadata });
    return { keyId: answer.keyId, publicKey: answer.publicKey };
  }

  /**
   * Fills a catalog entry with a private key from outside.
   *
   * @throws {@link ClientError} also `INVALID_REQUEST`, `UNSUPPORTED`, `UNSUPPORTED_ALGORITHM`.
   */
  async importKey(
    keyId: string,
    keyType: KeyTypeName,
    material: KeyMaterial,
    options: CallOptions = {},
  ): Promise<NewKey> {
    const request = create(ImportRequestSchema, importEntry({ keyId, keyType, material }));
    const answer = await this.#transport.unary(signing.import, request, options);
    return { keyId: answer.keyId, publicKey: answer.publicKey };
  }

  /** Fills several entries in this order: all are authorized before the first one is written. Fails as `importKey`. */
  async importKeys(entries: readonly ImportedKey[], options: CallOptions = {}): Promise<NewKey[]> {
    const request = create(ImportSetRequestSchema, { entries: entries.map(importEntry) });
    const { keys } = await this.#transport.unary(signing.importSet, request, options);
    return keys.map(({ keyId, publicKey }) => ({ keyId, publicKey }));
  }

  /**
   * Encrypts with a symmetric key. `aad` absent and `aad` empty are different contexts.
   *
   * @throws {@link ClientError} also `INVALID_REQUEST`, `PAYLOAD_TOO_LARGE` (AWS KMS takes 4,096 bytes), `UNSUPPORTED_ALGORITHM`.
   */
  async encrypt(
    keyId: string,
    plaintext: Uint8Array,
    options: CallOptions & { readonly algorithm?: AeadName; readonly aad?: Uint8Array } = {},
  ): Promise<Envelope> {
    const { algorithm = "aes-256-gcm", aad } = options;
    const request = create(EncryptRequestSchema, {
      keyId,
      algorithm: oneOf(AEAD_NUMBERS, "algorithm", algorithm),
      plaintext,
      ...(aad === undefined ? {} : { aad }),
    });
    const { envelope } = await this.#transport.unary(aead.encrypt, request, options);
    if (envelope === undefined) throw new ClientError("PROTOCOL", "the broker gave no envelope", {});
    // A cipher of a later version is opened by the broker all the same, under the name this client asked for.
    const { keyVersion, nonce, ciphertext } = envelope;
    return { algorithm: aeadName(envelope.alg) ?? algorithm, keyVersion, nonce, ciphertext };
  }

  /** @throws {@link ClientError} also `DECRYPT_FAILED`, whichever of key, AAD or ciphertext was wrong; `INVALID_REQUEST`. */
  async decrypt(
    keyId: string,
    envelope: Envelope,
    options: CallOptions & { readonly aad?: Uint8Array } = {},
  ): Promise<Uint8Array> {
    const { algorithm, keyVersion, nonce, ciphertext } = envelope;
    const alg = oneOf(AEAD_NUMBERS, "envelope.algorithm", algorithm);
    const request = create(DecryptRequestSchema, {
      keyId,
      envelope: create(CiphertextEnvelopeSchema, { alg, keyVersion, nonce, ciphertext }),
      ...(options.aad === undefined ? {} : { aad: options.aad }),
    });
    return (await this.#transport.unary(aead.decrypt, request, options)).plaintext;
  }

  /** The entries the caller may know about, in byte order of the name; none for a caller without a subject. */
  async listCatalog(options: CallOptions & { readonly prefix?: string } = {}): Promise<CatalogItem[]> {
    const { prefix } = options;
    const request = create(ListCatalogRequestSchema, prefix === undefined ? {} : { prefix });
    const items: CatalogItem[] = [];
    for await (const entry of this.#transport.serverStream(secrets.listCatalog, request, options)) {
      items.push(catalogItem(entry));
    }
    return items;
  }

  async status(options: CallOptions = {}): Promise<BrokerStatus> {
    const answer = await this.#transport.unary(admin.status, create(StatusRequestSchema), options);
    return { backend: answer.backend, version: answer.version, protocol: answer.protocol };
  }

  /** Open to every caller, and asks no backend. */
  async health(options: CallOptions = {}): Promise<BrokerHealth> {
    const answer = await this.#transport.unary(admin.health, create(HealthRequestSchema), options);
    return { alive: answer.alive, version: answer.version };
  }

  /** Open to every caller. */
  async readiness(options: CallOptions = {}): Promise<BrokerReadiness> {
    const answer = await this.#transport.unary(admin.readiness, create(ReadinessRequestSchema), options);
    const { ready, keysTotal, keysPresent, keysRequiredMissing, keysOptionalMissing } = answer;
    return {
      ready,
      reason: READINESS_REASONS[answer.reason] ?? "unknown",
      generation: Number(answer.generation),
      keysTotal,
      keysPresent,
      keysRequiredMissing,
      keysOptionalMissing,
    };
  }

  /**
   * Reads a stored value.
   *
   * @throws {@link ClientError} also `INVALID_REQUEST` for a key, `INTERNAL` for a value or version that is not there.
   */
  async getSecret(secretId: string, options: CallOptions & { readonly version?: number } = {}): Promise<Secret> {
    const { version } = options;
    const request = create(GetSecretRequestSchema, { secretId, ...(version === undefined ? {} : { version }) });
    const answer = await this.#transport.unary(secrets.getSecret, request, options);
    return { value: answer.value, version: answer.version };
  }

  /** @returns the new version. @throws {@link ClientError} also `INVALID_REQUEST`, `PAYLOAD_TOO_LARGE`, `UNSUPPORTED`. */
  async setSecret(secretId: string, value: Uint8Array, options: CallOptions = {}): Promise<number> {
    const request = create(SetSecretRequestSchema, { secretId, value });
    return (await this.#transport.unary(secrets.setSecret, request, options)).version;
  }

  /**
   * Makes a new version of a key, or of a value by the catalog's recipe.
   *
   * @returns the new version. @throws {@link ClientError} also `INVALID_REQUEST`, `UNSUPPORTED`.
   */
  async rotate(keyId: string, options: CallOptions = {}): Promise<number> {
    const request = create(RotateSecretRequestSchema, { secretId: keyId });
    return (await this.#transport.unary(secrets.rotateSecret, request, options)).version;
  }

  /**
   * Has an issuer key sign a JWT (RFC 7519) whose registered claims the broker fills in.
   *
   * @param options.ttlSeconds - Absent for a token that never expires.
   * @param options.claims - A JSON object, as text where numbers must stay as they are written. Not iss, iat, exp, jti, sub, nbf.
   * @throws {@link ClientError} also `INVALID_REQUEST`, `UNSUPPORTED_ALGORITHM`.
   */
  async mintJwt(
    keyId: string,
    subject: string,
    options: CallOptions & {
      readonly ttlSeconds?: number;
      readonly claims?: Readonly<Record<string, unknown>> | string;
    } = {},
  ): Promise<Token> {
    const { ttlSeconds, claims } = options;
    const json = typeof claims === "string" ? claims : claims === undefined ? "" : JSON.stringify(claims);
    const request = create(MintJwtRequestSchema, {
      keyId,
      subject,
      ...ttlOf(ttlSeconds),
      extraClaimsJson: new TextEncoder().encode(json),
    });
    return tokenOf(await this.#transport.unary(minting.mintJwt, request, options));
  }

  /**
   * Has the backend's PKI issue a TLS leaf certificate with a fresh key, which is the caller's.
   *
   * @throws {@link ClientError} also `INVALID_REQUEST`, `UNSUPPORTED`.
   */
  async issueCertificate(
    issuerKeyId: string,
    subject: CertificateSubject,
    options: CallOptions = {},
  ): Promise<IssuedCertificate> {
    const { commonName, dnsNames = [], ipAddresses = [], ttlSeconds } = subject;
    const request = create(IssueCertificateRequestSchema, {
      issuerKeyId,
      commonName,
      dnsSans: [...dnsNames],
      ipSans: [...ipAddresses],
      ...ttlOf(ttlSeconds),
    });
    const answer = await this.#transport.unary(minting.issueCertificate, request, options);
    return { chain: answer.certChainDer, privateKey: answer.privateKeyDer, caChain: answer.caChainDer };
  }

  /**
   * Relays a sealed call of somebody who is not on this host: a tagged COSE_Sign1 around a COSE_Encrypt (RFC 9052).
   *
   * @throws {@link ClientError} also `INVOCATION_DISABLED`, `INVOCATION_RESPONSE_PROTECTION_FAILED`, `UNSUPPORTED`.
   */
  async invoke(message: Uint8Array, options: CallOptions = {}): Promise<SealedAnswer> {
    const answer = await this.#transport.unary(invocation.invoke, create(SealedRequestSchema, { message }), options);
    const { responseSubject } = answer;
    return { message: answer.message, ...(responseSubject !== undefined && { responseSubject }) };
  }

  /** Has the broker read its documents again; with `check` it only says what would happen. A refusal is an answer. */
  async reload(options: CallOptions & { readonly check?: boolean } = {}): Promise<ReloadAnswer> {
    const request = create(ReloadRequestSchema, { check: options.check ?? false });
    return reloadAnswer(await this.#transport.unary(admin.reload, request, options));
  }

  /** What the policy that is served decides for a subject. @throws {@link ClientError} also `INVALID_REQUEST`. */
  async explain(subject: string, op: string, key: string, options: CallOptions = {}): Promise<ExplainAnswer> {
    const request = create(ExplainRequestSchema, { subject, op, key });
    return explainAnswer(await this.#transport.unary(admin.explain, request, options));
  }

  /** Puts a credential on the deny list. @throws {@link ClientError} also `INVALID_REQUEST`, `NO_REVOCATION_STORE`. */
  async revoke(revocation: Revocation, options: CallOptions = {}): Promise<void> {
    const { trustDomain, jti, expiresAtUnix } = revocation;
    const end = wholeSeconds("expiresAtUnix", expiresAtUnix);
    const request = create(RevokeRequestSchema, { trustDomain, jti, expiresAtUnix: end });
    await this.#transport.unary(admin.revoke, request, options);
  }

  /**
   * What changes from now on, until the broker stops; leaving the loop ends it. Without `timeoutMs` it has no deadline.
   *
   * @throws {@link ClientError} also `DATA_LOSS` when events came faster than they were read: read the state again.
   */
  async *watch(
    options: CallOptions & { readonly kinds?: readonly BrokerEvent["kind"][] } = {},
  ): AsyncGenerator<BrokerEvent, void, undefined> {
    const { kinds = [], timeoutMs = Number.POSITIVE_INFINITY, ...call } = options;
    const request = create(WatchRequestSchema, { kinds: kinds.map((kind) => oneOf(EVENT_KINDS, "kinds", kind)) });
    for await (const message of this.#transport.serverStream(admin.watch, request, { ...call, timeoutMs })) {
      const event = brokerEvent(message);
      if (event !== undefined) yield event;
    }
  }

  /** Ends the connection; calls in flight end in `CLOSED`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport[Symbol.asyncDispose]();
  }
}

const READINESS_REASONS: Readonly<Partial<Record<ReadinessReason, BrokerReadiness["reason"]>>> = {
  [ReadinessReason.READY]: "ready",
  [ReadinessReason.BACKEND_UNREACHABLE]: "backend_unreachable",
  [ReadinessReason.REQUIRED_KEY_MISSING]: "required_key_missing",
};
