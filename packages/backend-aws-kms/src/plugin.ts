import type { BackendPlugin } from "@basil/core";
import { AWS_KMS_KIND, awsKms } from "./backend.js";
import { awsKmsCapabilities } from "./capabilities.js";
import { type AwsKmsCredential, awsKmsCredentialSchema } from "./credential.js";
import type { AwsKmsOptions } from "./options.js";

/** What makes `type=aws-kms` a kind of backend. */
export const awsKmsPlugin: BackendPlugin<AwsKmsCredential> = {
  kind: AWS_KMS_KIND,
  credentialSchema: awsKmsCredentialSchema,
  capabilities: awsKmsCapabilities,
  open: async (credential, { id, logger }) => awsKms({ id, ...awsKmsOptionsOf(credential), ...(logger && { logger }) }),
};

/** The options a sealed credential stands for. */
export function awsKmsOptionsOf(credential: AwsKmsCredential): Omit<AwsKmsOptions, "id"> {
  const flag = (text: string | undefined) => (text === undefined ? undefined : text === "true");
  const number = (text: string | undefined) => (text === undefined ? undefined : Number(text));
  return present({
    region: credential.region,
    profile: credential.profile,
    endpoint: credential.endpoint,
    roleArn: credential["role-arn"],
    externalId: credential["external-id"],
    sessionName: credential["session-name"],
    fips: flag(credential.fips),
    dualStack: flag(credential["dual-stack"]),
    maxAttempts: number(credential["max-attempts"]),
    connectTimeoutMs: number(credential["connect-timeout-ms"]),
    attemptTimeoutMs: number(credential["attempt-timeout-ms"]),
    operationTimeoutMs: number(credential["operation-timeout-ms"]),
    wire: credential.wire,
    verify: credential.verify,
    graceVersions: number(credential["grace-versions"]),
    rotation: flag(credential.rotation),
    journalFile: credential.journal,
    tags: credential.tags === undefined ? undefined : Object.fromEntries(credential.tags.split(";").map(readTag)),
  });
}

function readTag(pair: string): [string, string] {
  const at = pair.indexOf(":");
  return [pair.slice(0, at), pair.slice(at + 1)];
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function present<T extends object>(fields: T): Present<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<T>;
}
