export type { CallLogOptions } from "./call-log.js";
export type { AccessCheck, CallRecord } from "./call-record.js";
export type { Clock } from "./clock.js";
export type { ContainerCredentialsOptions } from "./credentials/container.js";
export type { InstanceMetadataOptions } from "./credentials/instance-metadata.js";
export type { SsoPortalOptions } from "./credentials/sso-portal.js";
export { type KmsEmulator, startKmsEmulator } from "./emulator.js";
export {
  type AnyEmulatorError,
  EmulatorError,
  type EmulatorErrorCode,
  type EmulatorErrorDetails,
  isEmulatorError,
} from "./errors.js";
export type { Fault, FaultKind, FaultRule, Faults } from "./faults.js";
export type { SdkRequest, SdkRequestHandler, SdkResponse } from "./http/request-handler.js";
export type { OidcProviderOptions } from "./iam/oidc.js";
export type { PolicyInput } from "./iam/policy-document.js";
export type { KeyHandle, KeyOptions, Keys } from "./keys.js";
export type { KeyState } from "./kms/key.js";
export type { MaterialInput } from "./kms/key-material.js";
export type { KeySpec, KeyUsage } from "./kms/key-spec.js";
export type { QuotaOptions } from "./kms/quotas.js";
export type { KmsEmulatorOptions, PropagationOptions } from "./options.js";
export type {
  Principals,
  RoleIdentity,
  RoleOptions,
  SessionCredentials,
  UserIdentity,
  UserOptions,
} from "./principals.js";
export type { Span } from "./span.js";
