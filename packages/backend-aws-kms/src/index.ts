export { AWS_KMS_KIND, type AwsKmsOptions, awsKms } from "./backend.js";
export { awsKmsCapabilities } from "./capabilities.js";
export { type AwsKmsCredential, awsKmsCredentialSchema } from "./credential.js";
export { awsKmsPlugin } from "./plugin.js";
