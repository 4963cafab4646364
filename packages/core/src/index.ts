export type { Engine, KeyType } from "@basil/catalog";
export { ENGINES, KEY_TYPES } from "@basil/catalog";
export { abortable } from "./abortable.js";
export type {
  Backend,
  BackendHealth,
  BackendLogger,
  BackendPlugin,
  BreakerState,
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
export { capabilitiesProblems } from "./capability/capabilities-problems.js";
export type { CapabilityMatrixRow } from "./capability/capability-matrix.js";
export { capabilityMatrix, renderCapabilityMatrix, renderEngineTable } from "./capability/capability-matrix.js";
export type {
  CapabilityGap,
  CapabilityMode,
  CapabilityNote,
  CapabilityReport,
  MissingCapability,
  UnloadedKind,
} from "./capability/capability-report.js";
export { CAPABILITY_MODES } from "./capability/capability-report.js";
export type { CheckCapabilitiesOptions } from "./capability/check-capabilities.js";
export { checkCapabilities } from "./capability/check-capabilities.js";
export { servingEngine } from "./capability/class-needs.js";
export { KNOWN_CAPABILITIES } from "./capability/known-capabilities.js";
export { isDeclared, needsMintKeyType, requireMintable } from "./capability/mint-gate.js";
export { renderCapabilityGap, renderCapabilityReport } from "./capability/render-capability-report.js";
export type { BackendRequirement, KeyRequirement, RequiredCapabilities } from "./capability/required-capabilities.js";
export { requiredCapabilities } from "./capability/required-capabilities.js";
export type { CurveKeyType, EcdsaKeyType, Ed25519KeyType } from "./curves.js";
export { isEcdsaKeyType, isEd25519KeyType } from "./curves.js";
export { ecdsaDerToRaw, ecdsaRawToDer } from "./ecdsa-signature.js";
export type { AnyBackendError, BackendErrorCode, BackendErrorDetails, BackendErrorOptions } from "./errors.js";
export { asBackendError, BACKEND_ERROR_CODES, BackendError, isBackendError } from "./errors.js";
export { keyRef } from "./key-ref.js";
export { pluginProblems } from "./plugin-problems.js";
export type { PublicJwk } from "./public-key-jwk.js";
export { jwkToSpki, spkiToJwk } from "./public-key-jwk.js";
export { pemToSpki, spkiToPem } from "./public-key-pem.js";
export { spkiToSsh, sshToSpki } from "./public-key-ssh.js";
export type { MadeValue, RecipeOptions, WriteOptions, WrittenValue } from "./recipe/follow-recipe.js";
export { forgetValues, makeValues, recipePartner, writeValues } from "./recipe/follow-recipe.js";
export { probeKey } from "./reconcile/probe-key.js";
export type { ReconcileOptions, ReconcileProgress, ReconcileRetry } from "./reconcile/reconcile.js";
export { reconcile } from "./reconcile/reconcile.js";
export { renderReconciledKey, renderReconcileReport } from "./reconcile/render-report.js";
export type { KeyOutcome, ReconciledKey, ReconciledKeyIdentity, ReconcileReport } from "./reconcile/report.js";
export { signatureBytes } from "./signature-bytes.js";
export { rawToSpki, spkiKeyType, spkiToRaw } from "./spki.js";
export type { EncodeSshsigInput, Sshsig, SshsigContext, SshsigHash, VerifySshsigInput } from "./sshsig.js";
export { decodeSshsig, encodeSshsig, SSHSIG_HASHES, sshsigSignedData, verifySshsig } from "./sshsig.js";
export type { VerifySignatureInput } from "./verify-signature.js";
export { verifySignature } from "./verify-signature.js";
export type { WithinOptions } from "./within.js";
export { within } from "./within.js";
