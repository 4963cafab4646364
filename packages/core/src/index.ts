export type {
  Backend,
  BackendHealth,
  BackendLogger,
  BackendPlugin,
  CiphertextEnvelope,
  CreateKeyResult,
  DecryptResult,
  EncryptResult,
  KeyProbe,
  KeyRef,
  Kv2Engine,
  OpenBackendOptions,
  PkiEngine,
  Provenance,
  PublicKeyResult,
  RotateResult,
  SignResult,
  TransitEngine,
  VerifyResult,
} from "./backend.js";
export type { CallContext } from "./call-context.js";
export type { ByteRange, Capabilities, KeyTypeCapabilities, TransitOperation } from "./capabilities.js";
export { TRANSIT_OPERATIONS } from "./capabilities.js";
export type { AnyBackendError, BackendErrorCode, BackendErrorDetails, BackendErrorOptions } from "./errors.js";
export { BackendError, isBackendError } from "./errors.js";
