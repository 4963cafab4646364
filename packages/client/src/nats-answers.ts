import { NatsJwtType, NatsJwtValidationReason, type ValidateNatsJwtResponse } from "@basil/proto";

/** The `nats.type` of a NATS JWT. */
export const NATS_TYPE_NUMBERS = {
  user: NatsJwtType.USER,
  account: NatsJwtType.ACCOUNT,
  operator: NatsJwtType.OPERATOR,
  signer: NatsJwtType.SIGNER,
  server: NatsJwtType.SERVER,
  curve: NatsJwtType.CURVE,
} as const;
export type NatsType = keyof typeof NATS_TYPE_NUMBERS;

/** How a NATS JWT was judged. */
export interface NatsValidation {
  /** True for the reason `valid` alone. */
  readonly valid: boolean;
  readonly reason:
    | "valid"
    | "malformed"
    | "bad_signature"
    | "unknown_signer"
    | "expired"
    | "not_yet_valid"
    | "wrong_type"
    | "unknown";
  readonly subject: string;
  readonly issuer: string;
  /** Absent when the issuer was named by its public key. */
  readonly matchedSigner?: string;
  readonly type?: NatsType;
  /** Seconds since the epoch; absent when the token has none. */
  readonly expiresAtUnix?: number;
  readonly issuedAtUnix?: number;
}

const REASONS: Readonly<Partial<Record<NatsJwtValidationReason, NatsValidation["reason"]>>> = {
  [NatsJwtValidationReason.VALID]: "valid",
  [NatsJwtValidationReason.MALFORMED]: "malformed",
  [NatsJwtValidationReason.BAD_SIGNATURE]: "bad_signature",
  [NatsJwtValidationReason.UNKNOWN_SIGNER]: "unknown_signer",
  [NatsJwtValidationReason.EXPIRED]: "expired",
  [NatsJwtValidationReason.NOT_YET_VALID]: "not_yet_valid",
  [NatsJwtValidationReason.WRONG_TYPE]: "wrong_type",
};

export function natsValidation(answer: ValidateNatsJwtResponse): NatsValidation {
  const { valid, subject, issuer, matchedSignerKeyId, expiresAtUnix, issuedAtUnix } = answer;
  const type = (Object.keys(NATS_TYPE_NUMBERS) as NatsType[]).find(
    (name) => NATS_TYPE_NUMBERS[name] === answer.jwtType,
  );
  return {
    valid,
    reason: REASONS[answer.reason] ?? "unknown",
    subject,
    issuer,
    ...(matchedSignerKeyId !== "" && { matchedSigner: matchedSignerKeyId }),
    ...(type !== undefined && { type }),
    ...(expiresAtUnix !== 0n && { expiresAtUnix: Number(expiresAtUnix) }),
    ...(issuedAtUnix !== 0n && { issuedAtUnix: Number(issuedAtUnix) }),
  };
}
