import { randomUUID } from "node:crypto";
import { Breaker } from "./breaker.js";
import type { KmsCalls } from "./client.js";
import { GuardedCalls } from "./guarded-calls.js";
import { fileJournal } from "./journal.js";
import { KeyVersions } from "./key-versions.js";
import type { Keyring } from "./keyring.js";
import { publishing } from "./kms-channel.js";
import { type AwsKmsOptions, requireOptions } from "./options.js";
import type { ProvisioningOptions } from "./provisioning.js";
import { PublicKeys } from "./public-key.js";
import { SdkClient } from "./sdk-client.js";

/** The wire as the options say. Nothing is called. @throws TypeError for an option that is out of range. */
export function openClient(options: AwsKmsOptions): KmsCalls {
  requireOptions(options);
  const { fips, dualStack, credentials, ...source } = options;
  return new SdkClient({
    ...source,
    connectTimeoutMs: options.connectTimeoutMs ?? 2000,
    attemptTimeoutMs: options.attemptTimeoutMs ?? 5000,
    connections: options.connections ?? 64,
    maxAttempts: options.maxAttempts ?? 3,
    ...(credentials && { credentials: typeof credentials === "function" ? credentials : async () => credentials }),
    ...(fips !== undefined && { useFipsEndpoint: fips }),
    ...(dualStack !== undefined && { useDualstackEndpoint: dualStack }),
  });
}

/** What the operations of one backend share, over any {@link KmsCalls}. */
export function openKeyring(client: KmsCalls, id: string, options: AwsKmsOptions) {
  const observer = publishing(id, options);
  const breaker = new Breaker();
  const calls = new GuardedCalls(client, {
    operationTimeoutMs: options.operationTimeoutMs ?? 20_000,
    breaker,
    observer,
    ...(options.region !== undefined && { region: options.region }),
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
  return { on, breaker };
}

/** How keys are created, as the options say. */
export function provisioningOf({ tags, logger, ...options }: AwsKmsOptions): ProvisioningOptions {
  return {
    propagationTimeoutMs: options.propagationTimeoutMs ?? 20_000,
    runId: options.runId ?? randomUUID(),
    ...(options.journalFile !== undefined && { journal: fileJournal(options.journalFile) }),
    ...(tags && { tags }),
    ...(logger && { logger }),
  };
}
