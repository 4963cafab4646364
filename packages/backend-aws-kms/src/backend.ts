import { randomUUID } from "node:crypto";
import type { Backend, BackendHealth, TransitEngine } from "@basil/core";
import { Breaker } from "./breaker.js";
import { awsKmsCapabilities, rotatingCapabilities } from "./capabilities.js";
import type { KmsCalls } from "./client.js";
import { decrypt, encrypt } from "./encryption.js";
import { GuardedCalls } from "./guarded-calls.js";
import { fileJournal } from "./journal.js";
import { KeyVersions } from "./key-versions.js";
import type { Keyring } from "./keyring.js";
import { publishing } from "./kms-channel.js";
import { type AwsKmsOptions, requireOptions } from "./options.js";
import { probe } from "./probe.js";
import { createKey } from "./provisioning.js";
import { PublicKeys } from "./public-key.js";
import { type RotationOptions, rotate } from "./rotation.js";
import { SdkClient } from "./sdk-client.js";
import { sign } from "./signing.js";
import { verify } from "./verification.js";

export const AWS_KMS_KIND = "aws-kms";

/**
 * AWS KMS behind the {@link Backend} contract: `transit` only. Nothing is called before the first operation.
 *
 * @throws TypeError for an option that is out of range.
 */
export function awsKms(options: AwsKmsOptions = {}): Backend {
  requireOptions(options);
  const { fips, dualStack, credentials, ...source } = options;
  const client = new SdkClient({
    ...source,
    connectTimeoutMs: options.connectTimeoutMs ?? 2000,
    attemptTimeoutMs: options.attemptTimeoutMs ?? 5000,
    connections: options.connections ?? 64,
    maxAttempts: options.maxAttempts ?? 3,
    ...(credentials && { credentials: typeof credentials === "function" ? credentials : async () => credentials }),
    ...(fips !== undefined && { useFipsEndpoint: fips }),
    ...(dualStack !== undefined && { useDualstackEndpoint: dualStack }),
  });
  return awsKmsOver(client, options);
}

/** The backend over any {@link KmsCalls}. @internal */
export function awsKmsOver(client: KmsCalls, options: AwsKmsOptions): Backend {
  const id = options.id ?? AWS_KMS_KIND;
  const observer = publishing(id, options);
  const breaker = new Breaker();
  const calls = new GuardedCalls(client, {
    operationTimeoutMs: options.operationTimeoutMs ?? 20_000,
    breaker,
    observer,
  });
  const versions = new KeyVersions(calls, { observer, ...(options.logger && { logger: options.logger }) });
  const on: Keyring = {
    calls,
    versions,
    publicKeys: new PublicKeys(calls, versions),
    ...(options.region !== undefined && { region: options.region }),
    verify: options.verify ?? "kms",
    graceVersions: options.graceVersions ?? 1,
  };
  const { tags, logger, confirmRotation } = options;
  const provisioning: RotationOptions = {
    propagationTimeoutMs: options.propagationTimeoutMs ?? 20_000,
    runId: options.runId ?? randomUUID(),
    ...(options.journalFile !== undefined && { journal: fileJournal(options.journalFile) }),
    ...(tags && { tags }),
    ...(logger && { logger }),
    ...(confirmRotation && { confirmRotation }),
  };
  const transit: TransitEngine = {
    sign: (key, message, context) => sign(on, key, message, context),
    verify: (key, message, signature, context) => verify(on, key, message, signature, context),
    publicKey: (key, context, { version } = {}) => on.publicKeys.get(key, context, version),
    encrypt: (key, plaintext, aad, context) => encrypt(on, key, plaintext, aad, context),
    decrypt: (key, envelope, aad, context) => decrypt(on, key, envelope, aad, context),
    createKey: (key, context) => createKey(on, key, context, provisioning),
    ...(options.rotation && { rotate: (key, context) => rotate(on, key, context, provisioning) }),
  };
  return {
    id,
    kind: AWS_KMS_KIND,
    capabilities: options.rotation ? rotatingCapabilities : awsKmsCapabilities,
    transit,
    probe: (key, context) => probe(on, key, context),
    health: async () => healthOf(breaker, versions),
    [Symbol.asyncDispose]: async () => calls.close(),
  };
}

function healthOf(breaker: Breaker, versions: KeyVersions): BackendHealth {
  const drifted = [...versions.drifted].map(([path, arn]) => `${path} leads to ${arn}, which is none of its versions`);
  const failing = breaker.open > 0 ? [`${breaker.open} operations on keys fail for good and are held back`] : [];
  const detail = [...failing, ...drifted].join("; ");
  return { healthy: breaker.open === 0, ...(detail !== "" && { detail }) };
}
