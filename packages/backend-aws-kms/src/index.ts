export { AWS_KMS_KIND, awsKms } from "./backend.js";
export {
  type AwsKmsSlot,
  type AwsKmsSlotContext,
  type AwsKmsSlotOptions,
  type AwsKmsStanza,
  awsKmsSlot,
} from "./bundle-slot.js";
export { awsKmsCapabilities } from "./capabilities.js";
export { type AwsKmsCredential, awsKmsCredentialSchema } from "./credential.js";
export type { AwsCredentials } from "./credentials.js";
export { creatableAlias, type KeyReference, keyReference } from "./key-ref.js";
export { KMS_CHANNEL, type KmsMessage } from "./kms-channel.js";
export {
  type KmsKeyListing,
  type KmsListing,
  type KmsListOptions,
  type KmsVersionListing,
  listAwsKmsKeys,
} from "./list-keys.js";
export { checkAwsKms, type KmsLiveIdentity, type KmsLiveOptions, type KmsLiveReport } from "./live-check.js";
export type { KmsDenial, KmsLiveFinding } from "./live-findings.js";
export type {
  KmsLiveDescribedKey,
  KmsLiveKey,
  KmsLiveKeyReport,
  KmsLiveUnknownKey,
  KmsLiveVersionReport,
} from "./live-key.js";
export type { BreakerEvent, DriftEvent, KmsCallEvent, KmsObserver, RotationEvent } from "./observer.js";
export type { AwsKmsOptions } from "./options.js";
export {
  type AwsKmsIdentity,
  type AwsKmsPermission,
  awsKmsActionsOnVersion,
  awsKmsPermissions,
  type OtherVersion,
} from "./permissions.js";
export { awsKmsOptionsOf, awsKmsPlugin } from "./plugin.js";
export type { RotationPlan } from "./rotation.js";
export { type AwsKmsRotator, awsKmsRotator } from "./rotator.js";
