import {
  AdminService,
  AEAD_NUMBERS,
  type AeadName,
  AeadService,
  aeadName,
  type CatalogEntry,
  CatalogKind,
  CiphertextEnvelopeSchema,
  DecryptRequestSchema,
  EncryptRequestSchema,
  GetPublicKeyRequestSchema,
  grpcMethods,
  HealthRequestSchema,
  KEY_TYPE_NUMBERS,
  KeyType,
  type KeyTypeName,
  keyTypeName,
  ListCatalogRequestSchema,
  NewKeyRequestSchema,
  ReadinessReason,
  ReadinessRequestSchema,
  SecretService,
  SigningService,
  SignRequestSchema,
  StatusRequestSchema,
  VerifyRequestSchema,
} from "@basil/proto";
import { create } from "@bufbuild/protobuf";
import type {
  BrokerHealth,
  BrokerReadiness,
  BrokerStatus,
  CatalogItem,
  Envelope,
  NewKey,
  PublicKey,
} from "./answers.js";
import { ClientError } from "./errors.js";
import type { CallOptions, Transport } from "./transport.js";

const signing = grpcMethods(SigningService);
const aead = grpcMethods(AeadService);
const secrets = grpcMethods(SecretService);
const admin = grpcMethods(AdminService);

/**
 * A broker's methods. Keys are named as in its catalog. Every method may end in a {@link ClientError} of
 * `UNAUTHENTICATED`, `UNAUTHORIZED`, `UNREACHABLE`, `BACKEND_UNAVAILABLE`, `BACKEND_ERROR`, `LIMIT_EXCEEDED`,
 * `INTERNAL`, `CANCELLED`, `DEADLINE_EXCEEDED`, `PROTOCOL` or `CLOSED`; the others are named at the method.
 */
export class Client implements AsyncDisposable {
  readonly #transport: Transport;

  /** Takes the transport over: disposing the client disposes it. */
  constructor(transport: Transport) {
    this.#transport = transport;
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
  async newKey(keyId: string, keyType: KeyTypeName | undefined, options: CallOptions = {}): Promise<NewKey> {
    const number = keyType === undefined ? KeyType.UNSPECIFIED : oneOf(KEY_TYPE_NUMBERS, "keyType", keyType);
    const request = create(NewKeyRequestSchema, { keyId, keyType: number });
    const answer = await this.#transport.unary(signing.newKey, request, options);
    return { keyId: answer.keyId, publicKey: answer.publicKey };
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

const CATALOG_KINDS: Readonly<Partial<Record<CatalogKind, CatalogItem["kind"]>>> = {
  [CatalogKind.SIGNING]: "signing",
  [CatalogKind.VALUE]: "value",
  [CatalogKind.ENCRYPTION]: "encryption",
};

function catalogItem({ name, kind, keyType = KeyType.UNSPECIFIED, latestVersion }: CatalogEntry): CatalogItem {
  const typeName = keyTypeName(keyType);
  return {
    name,
    kind: CATALOG_KINDS[kind] ?? "unknown",
    ...(typeName === undefined ? {} : { keyType: typeName }),
    latestVersion,
    numbers: { kind, keyType },
  };
}

function oneOf<T extends Record<string, number>>(numbers: T, what: string, name: string): T[keyof T] {
  const number = Object.hasOwn(numbers, name) ? numbers[name as keyof T] : undefined;
  if (number !== undefined) return number;
  throw new TypeError(`${what} must be one of ${Object.keys(numbers).join(", ")}, not ${String(name)}`);
}
