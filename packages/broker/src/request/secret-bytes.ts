import {
  type DecryptNatsCurveResponse,
  DecryptNatsCurveResponseSchema,
  type DecryptResponse,
  DecryptResponseSchema,
  type EncryptNatsCurveRequest,
  EncryptNatsCurveRequestSchema,
  type EncryptRequest,
  EncryptRequestSchema,
  type GetSecretResponse,
  GetSecretResponseSchema,
  type ImportRequest,
  ImportRequestSchema,
  type ImportSetRequest,
  ImportSetRequestSchema,
  type IssueCertificateResponse,
  IssueCertificateResponseSchema,
  type KeyMaterial,
  type SetSecretRequest,
  SetSecretRequestSchema,
  type UnsealCoseResponse,
  UnsealCoseResponseSchema,
  type UnwrapEnvelopeResponse,
  UnwrapEnvelopeResponseSchema,
  type WrapEnvelopeRequest,
  WrapEnvelopeRequestSchema,
} from "@basil/proto";
import type { Message } from "@bufbuild/protobuf";

type Read = (message: never) => readonly (Uint8Array | undefined)[];

/** By the name of the message: the members that are plaintexts, stored values or private keys. */
const SECRETS: ReadonlyMap<string, Read> = new Map<string, Read>([
  [EncryptRequestSchema.typeName, ({ plaintext }: EncryptRequest) => [plaintext]],
  [DecryptResponseSchema.typeName, ({ plaintext }: DecryptResponse) => [plaintext]],
  [WrapEnvelopeRequestSchema.typeName, ({ plaintext }: WrapEnvelopeRequest) => [plaintext]],
  [EncryptNatsCurveRequestSchema.typeName, ({ plaintext }: EncryptNatsCurveRequest) => [plaintext]],
  [SetSecretRequestSchema.typeName, ({ value }: SetSecretRequest) => [value]],
  [UnwrapEnvelopeResponseSchema.typeName, ({ plaintext }: UnwrapEnvelopeResponse) => [plaintext]],
  [UnsealCoseResponseSchema.typeName, ({ plaintext }: UnsealCoseResponse) => [plaintext]],
  [DecryptNatsCurveResponseSchema.typeName, ({ plaintext }: DecryptNatsCurveResponse) => [plaintext]],
  [IssueCertificateResponseSchema.typeName, ({ privateKeyDer }: IssueCertificateResponse) => [privateKeyDer]],
  [GetSecretResponseSchema.typeName, ({ value }: GetSecretResponse) => [value]],
  [ImportRequestSchema.typeName, ({ material }: ImportRequest) => [keyBytes(material)]],
  [
    ImportSetRequestSchema.typeName,
    ({ entries }: ImportSetRequest) => entries.map(({ material }) => keyBytes(material)),
  ],
]);

function keyBytes(material: KeyMaterial | undefined): Uint8Array | undefined {
  return material?.material.value;
}

/** Whether messages of this kind hold a secret at all. */
export function hasSecrets({ $typeName }: Message): boolean {
  return SECRETS.has($typeName);
}

/** Zeroes what of a message is secret; nothing of what is no message. For its owner, once nobody reads it any more. */
export function zeroSecrets(message: object): void {
  const read = "$typeName" in message ? SECRETS.get(String(message.$typeName)) : undefined;
  for (const bytes of read?.(message as never) ?? []) bytes?.fill(0);
}
