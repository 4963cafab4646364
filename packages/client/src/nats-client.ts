import {
  type AllowedNatsSigner,
  DecryptNatsCurveRequestSchema,
  EncryptNatsCurveRequestSchema,
  grpcMethods,
  MintNatsAccountRequestSchema,
  MintNatsCurveRequestSchema,
  MintNatsOperatorRequestSchema,
  MintNatsServerRequestSchema,
  MintNatsSignerRequestSchema,
  MintNatsUserRequestSchema,
  NatsJtiMode,
  NatsJwtType,
  NatsService,
  SignNatsJwtRequestSchema,
  ValidateNatsJwtRequestSchema,
} from "@basil/proto";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { Token } from "./answers.js";
import { NATS_TYPE_NUMBERS, type NatsType, type NatsValidation, natsValidation } from "./nats-answers.js";
import { oneOf } from "./one-of.js";
import { tokenOf } from "./token.js";
import type { CallOptions, Transport } from "./transport.js";
import { ttlOf } from "./ttl.js";

const nats = grpcMethods(NatsService);

/** What every minting call takes besides its subject. */
export interface NatsMintOptions extends CallOptions {
  readonly name?: string;
  /** Absent for a token that never expires. */
  readonly ttlSeconds?: number;
}

/**
 * The methods for NATS: JWTs as of nats-io/jwt v2, and curve boxes. Keys are named as in the catalog, subjects are NKeys
 * (https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_intro/nkey_auth). Each may end in a
 * {@link ClientError} as the methods of {@link Client} do, and in `INVALID_REQUEST` or `UNSUPPORTED`.
 */
export class NatsClient {
  readonly #transport: Transport;

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** @param options.issuerAccount - The account, when the issuer is one of its signing keys. */
  async mintUser(
    keyId: string,
    userNkey: string,
    options: NatsMintOptions & {
      readonly issuerAccount?: string;
      /** Subjects; none means all. */
      readonly publish?: { readonly allow?: readonly string[]; readonly deny?: readonly string[] };
      readonly subscribe?: { readonly allow?: readonly string[]; readonly deny?: readonly string[] };
    } = {},
  ): Promise<Token> {
    const { issuerAccount, publish, subscribe } = options;
    const request = create(MintNatsUserRequestSchema, {
      ...minting(keyId, options),
      subjectUserNkey: userNkey,
      pubAllow: [...(publish?.allow ?? [])],
      pubDeny: [...(publish?.deny ?? [])],
      subAllow: [...(subscribe?.allow ?? [])],
      subDeny: [...(subscribe?.deny ?? [])],
      ...(issuerAccount !== undefined && { issuerAccount }),
    });
    return tokenOf(await this.#transport.unary(nats.mintNatsUser, request, options));
  }

  async mintAccount(
    keyId: string,
    accountNkey: string,
    options: NatsMintOptions & { readonly signingKeys?: readonly string[] } = {},
  ): Promise<Token> {
    const request = create(MintNatsAccountRequestSchema, {
      ...minting(keyId, options),
      subjectAccountNkey: accountNkey,
      signingKeys: [...(options.signingKeys ?? [])],
    });
    return tokenOf(await this.#transport.unary(nats.mintNatsAccount, request, options));
  }

  /** @param operatorNkey - Undefined for the issuer itself. */
  async mintOperator(
    keyId: string,
    operatorNkey: string | undefined,
    options: NatsMintOptions & {
      readonly signingKeys?: readonly string[];
      readonly accountServerUrl?: string;
      readonly systemAccount?: string;
    } = {},
  ): Promise<Token> {
    const { accountServerUrl, systemAccount } = options;
    const request = create(MintNatsOperatorRequestSchema, {
      ...minting(keyId, options),
      signingKeys: [...(options.signingKeys ?? [])],
      ...(operatorNkey !== undefined && { subjectOperatorNkey: operatorNkey }),
      ...(accountServerUrl !== undefined && { accountServerUrl }),
      ...(systemAccount !== undefined && { systemAccount }),
    });
    return tokenOf(await this.#transport.unary(nats.mintNatsOperator, request, options));
  }

  /** For a further signing key of the issuer's own role. */
  async mintSigner(keyId: string, signerNkey: string, options: NatsMintOptions = {}): Promise<Token> {
    const request = create(MintNatsSignerRequestSchema, { ...minting(keyId, options), subjectNkey: signerNkey });
    return tokenOf(await this.#transport.unary(nats.mintNatsSigner, request, options));
  }

  async mintServer(keyId: string, serverNkey: string, options: NatsMintOptions = {}): Promise<Token> {
    const request = create(MintNatsServerRequestSchema, { ...minting(keyId, options), subjectServerNkey: serverNkey });
    return tokenOf(await this.#transport.unary(nats.mintNatsServer, request, options));
  }

  async mintCurve(keyId: string, curveNkey: string, options: NatsMintOptions = {}): Promise<Token> {
    const request = create(MintNatsCurveRequestSchema, { ...minting(keyId, options), subjectCurveNkey: curveNkey });
    return tokenOf(await this.#transport.unary(nats.mintNatsCurve, request, options));
  }

  /** @returns `xkv1`, a nonce of 24 bytes, and the box. */
  async encryptCurve(
    keyId: string,
    recipientXkey: string,
    plaintext: Uint8Array,
    options: CallOptions = {},
  ): Promise<Uint8Array> {
    const request = create(EncryptNatsCurveRequestSchema, { keyId, recipientPublicXkey: recipientXkey, plaintext });
    return (await this.#transport.unary(nats.encryptNatsCurve, request, options)).ciphertext;
  }

  /** @throws {@link ClientError} also `DECRYPT_FAILED`. */
  async decryptCurve(
    keyId: string,
    senderXkey: string,
    ciphertext: Uint8Array,
    options: CallOptions = {},
  ): Promise<Uint8Array> {
    const request = create(DecryptNatsCurveRequestSchema, { keyId, senderPublicXkey: senderXkey, ciphertext });
    return (await this.#transport.unary(nats.decryptNatsCurve, request, options)).plaintext;
  }

  /**
   * Signs a claims object brought whole.
   *
   * @param claims - As text where numbers must stay as they are written.
   * @param options.jti - `require` (the default) fills an absent `jti` in and refuses a wrong one; `rewrite` replaces it.
   */
  async signJwt(
    keyId: string,
    claims: Readonly<Record<string, unknown>> | string,
    options: CallOptions & {
      /** Refused when `nats.type` is another. */
      readonly expectedType?: NatsType;
      readonly ttlSeconds?: number;
      /** Not together with `ttlSeconds`. */
      readonly expiresAt?: Date;
      readonly issuedAt?: Date;
      readonly jti?: "require" | "rewrite";
    } = {},
  ): Promise<Token> {
    const { expectedType, ttlSeconds, expiresAt, issuedAt, jti = "require" } = options;
    const request = create(SignNatsJwtRequestSchema, {
      keyId,
      claimsJson: new TextEncoder().encode(typeof claims === "string" ? claims : JSON.stringify(claims)),
      expectedType: natsType(expectedType),
      ...ttlOf(ttlSeconds),
      ...(expiresAt !== undefined && { expiresAt: timestampFromDate(expiresAt) }),
      ...(issuedAt !== undefined && { issuedAt: timestampFromDate(issuedAt) }),
      jtiMode: oneOf({ require: NatsJtiMode.REQUIRE_VALID, rewrite: NatsJtiMode.REWRITE }, "jti", jti),
    });
    return tokenOf(await this.#transport.unary(nats.signNatsJwt, request, options));
  }

  /**
   * Checks a token; every outcome is an answer.
   *
   * @param allowedSigners - Issuers that will do: keys of the catalog, or public NKeys.
   */
  async validateJwt(
    jwt: string,
    allowedSigners: readonly ({ readonly keyId: string } | { readonly nkey: string })[],
    options: CallOptions & { readonly expectedType?: NatsType } = {},
  ): Promise<NatsValidation> {
    const signer = (one: (typeof allowedSigners)[number]): AllowedNatsSigner["signer"] =>
      "keyId" in one ? { case: "keyId", value: one.keyId } : { case: "natsPublicKey", value: one.nkey };
    const request = create(ValidateNatsJwtRequestSchema, {
      jwt,
      allowedSigners: allowedSigners.map((one) => ({ signer: signer(one) })),
      expectedType: natsType(options.expectedType),
    });
    return natsValidation(await this.#transport.unary(nats.validateNatsJwt, request, options));
  }
}

/** What every minting request has. */
function minting(keyId: string, { name = "", ttlSeconds }: NatsMintOptions) {
  return { keyId, name, ...ttlOf(ttlSeconds) } satisfies MessageInitShape<typeof MintNatsSignerRequestSchema>;
}

function natsType(name: NatsType | undefined): NatsJwtType {
  return name === undefined ? NatsJwtType.UNSPECIFIED : oneOf(NATS_TYPE_NUMBERS, "expectedType", name);
}
