export { AWS_KMS_KIND, type AwsKmsOptions, awsKms } from "./backend.js";
export { awsKmsCapabilities } from "./capabilities.js";
export { type AwsKmsCredential, awsKmsCredentialSchema } from "./credential.js";
export type { BreakerEvent, DriftEvent, KmsCallEvent, KmsObserver, RotationEvent } from "./observer.js";
export { awsKmsPlugin } from "./plugin.js";
export type { RotationPlan } from "./rotation.js";
