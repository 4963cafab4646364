export type { CallLogOptions } from "./call-log.js";
export type { AccessCheck, CallRecord } from "./call-record.js";
export type { Clock } from "./clock.js";
export { type KmsEmulator, type KmsEmulatorOptions, startKmsEmulator } from "./emulator.js";
export {
  type AnyEmulatorError,
  EmulatorError,
  type EmulatorErrorCode,
  type EmulatorErrorDetails,
  isEmulatorError,
} from "./errors.js";
export type { SdkRequest, SdkRequestHandler, SdkResponse } from "./http/request-handler.js";
export type { PolicyInput } from "./iam/policy-document.js";
export type { KeyHandle, KeyOptions, Keys } from "./keys.js";
export type { KeyState } from "./kms/key.js";
export type { MaterialInput } from "./kms/key-material.js";
export type { KeySpec, KeyUsage } from "./kms/key-spec.js";
export type {
  Principals,
  RoleIdentity,
  RoleOptions,
  SessionCredentials,
  UserIdentity,
  UserOptions,
} from "./principals.js";
