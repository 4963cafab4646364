import type { BackendPlugin } from "@basil/core";
import { AWS_KMS_KIND, awsKms } from "./backend.js";
import { awsKmsCapabilities } from "./capabilities.js";
import { type AwsKmsCredential, awsKmsCredentialSchema } from "./credential.js";

/** What makes `type=aws-kms` a kind of backend. */
export const awsKmsPlugin: BackendPlugin<AwsKmsCredential> = {
  kind: AWS_KMS_KIND,
  credentialSchema: awsKmsCredentialSchema,
  capabilities: awsKmsCapabilities,
  open: async (credential, { id, logger }) =>
    awsKms({
      id,
      region: credential.region,
      ...(credential.profile !== undefined && { profile: credential.profile }),
      ...(credential.endpoint !== undefined && { endpoint: credential.endpoint }),
      ...(credential["role-arn"] !== undefined && { roleArn: credential["role-arn"] }),
      ...(credential["external-id"] !== undefined && { externalId: credential["external-id"] }),
      ...(credential["session-name"] !== undefined && { sessionName: credential["session-name"] }),
      ...(credential.fips !== undefined && { fips: credential.fips === "true" }),
      ...(credential["dual-stack"] !== undefined && { dualStack: credential["dual-stack"] === "true" }),
      ...(credential["max-attempts"] !== undefined && { maxAttempts: Number(credential["max-attempts"]) }),
      ...(credential["attempt-timeout-ms"] !== undefined && {
        attemptTimeoutMs: Number(credential["attempt-timeout-ms"]),
      }),
      ...(credential["operation-timeout-ms"] !== undefined && {
        operationTimeoutMs: Number(credential["operation-timeout-ms"]),
      }),
      ...(logger && { logger }),
    }),
};
