export type { AeadName, KeyTypeName } from "@basil/proto";
export type {
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
export type { NewKeyOptions } from "./client.js";
export { Client } from "./client.js";
export type { ConnectOptions } from "./connect.js";
export { connect } from "./connect.js";
export type { EmbeddedBroker, EmbeddedOptions } from "./embedded.js";
export { connectEmbedded } from "./embedded.js";
export { EnvelopeClient } from "./envelope-client.js";
export type { AnyClientError, ClientErrorCode, ClientErrorDetails, ClientErrorOptions } from "./errors.js";
export { CLIENT_ERROR_CODES, ClientError, isClientError } from "./errors.js";
export type { JwsOptions, JwsSigner } from "./jws.js";
export { signJws, signJwt } from "./jws.js";
export type { ImportedKey, KeyMaterial } from "./key-material.js";
export type { NatsType, NatsValidation } from "./nats-answers.js";
export type { NatsMintOptions } from "./nats-client.js";
export { NatsClient } from "./nats-client.js";
export type { ByteSource } from "./seal/byte-source.js";
export type { OpenedStream, OpenStreamOptions } from "./seal/open-stream.js";
export { openStream } from "./seal/open-stream.js";
export type { SealStreamOptions } from "./seal/seal-stream.js";
export { sealStream } from "./seal/seal-stream.js";
export type { EnvelopeCipher, KemEnvelope, KemName } from "./sealed-envelope.js";
export type { Signer, SignerAlgorithm, SignerJwk } from "./signer.js";
export { createSigner, publicJwks, signerAlgorithm, signerJwk, signerKid } from "./signer.js";
export type { CallOptions, Transport } from "./transport.js";
