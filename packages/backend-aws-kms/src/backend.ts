import { randomUUID } from "node:crypto";
import type { Backend, BackendHealth, BackendLogger, TransitEngine } from "@basil/core";
import { Breaker } from "./breaker.js";
import { awsKmsCapabilities, rotatingCapabilities } from "./capabilities.js";
import type { KmsCalls } from "./client.js";
import { decrypt, encrypt } from "./encryption.js";
import { GuardedCalls } from "./guarded-calls.js";
import { fileJournal } from "./journal.js";
import { KeyVersions } from "./key-versions.js";
import type { Keyring } from "./keyring.js";
import type { KmsObserver } from "./observer.js";
import { probe } from "./probe.js";
import { createKey } from "./provisioning.js";
import { PublicKeys } from "./public-key.js";
import { type RotationOptions, rotate } from "./rotation.js";
import { SdkClient } from "./sdk-client.js";
import { sign } from "./signing.js";
import { verify } from "./verification.js";

/** Where KMS is, as whom it is called, and how long anything may take. Only `id` has no default. */
export interface AwsKmsOptions {
  /** The catalog's name for the backend. */
  readonly id: string;
  /** For example `eu-central-1`. Without one: `AWS_REGION`, then the profile's. */
  readonly region?: string;
  /** A profile of the shared config and credentials files. Without one the SDK's default chain decides. */
  readonly profile?: string;
  /** An `http:` or `https:` URL in place of the region's own. */
  readonly endpoint?: string;
  /** A role to assume with the credentials found. */
  readonly roleArn?: string;
  /** `sts:ExternalId`, where the role's trust policy asks for one. */
  readonly externalId?: string;
  /** The name of the role session, `basil` by default; CloudTrail shows it. */
  readonly sessionName?: string;
  /** Use the FIPS 140 endpoint of the region. */
  readonly fips?: boolean;
  /** Use the endpoint that answers on IPv4 and IPv6. */
  readonly dualStack?: boolean;
  /** Requests one operation may take after throttling and transient faults, 3 by default. CreateKey always takes one. */
  readonly maxAttempts?: number;
  /** Milliseconds to a connection, 2,000 by default. */
  readonly connectTimeoutMs?: number;
  /** Milliseconds for one attempt, 5,000 by default. */
  readonly attemptTimeoutMs?: number;
  /** Milliseconds for one operation, retries included, 20,000 by default. */
  readonly operationTimeoutMs?: number;
  /** Milliseconds a new key may take to be seen in the region, 20,000 by default. */
  readonly propagationTimeoutMs?: number;
  /** Connections to KMS, 64 by default. */
  readonly connections?: number;
  /** Where signatures are verified: by a call to KMS (the default), or here with the public key, at no call. */
  readonly verify?: "kms" | "local";
  /** How many versions before the newest one still verify, 1 by default. */
  readonly graceVersions?: number;
  /** A file that remembers, across a kill, which keys were created and have no alias yet. Advised wherever keys are created. */
  readonly journalFile?: string;
  /** Tags for created keys, for accounts that condition on `aws:RequestTag`; CreateKey then needs `kms:TagResource`. */
  readonly tags?: Readonly<Record<string, string>>;
  /** Names this run in the Description of created keys; random by default. */
  readonly runId?: string;
  /** Offer `rotate`: for the rotator identity, never for the one that serves. */
  readonly rotation?: boolean;
  /** Asked before a rotation moves the alias; without it the alias is moved. */
  readonly confirmRotation?: RotationOptions["confirmRotation"];
  readonly logger?: BackendLogger;
  readonly observer?: KmsObserver;
}

export const AWS_KMS_KIND = "aws-kms";

/**
 * AWS KMS behind the {@link Backend} contract: `transit` only. Nothing is called before the first operation.
 *
 * @throws TypeError for an option that is out of range.
 */
export function awsKms(options: AwsKmsOptions): Backend {
  requireOptions(options);
  const { fips, dualStack, ...source } = options;
  const client = new SdkClient({
    ...source,
    connectTimeoutMs: options.connectTimeoutMs ?? 2000,
    attemptTimeoutMs: options.attemptTimeoutMs ?? 5000,
    connections: options.connections ?? 64,
    maxAttempts: options.maxAttempts ?? 3,
    ...(fips !== undefined && { useFipsEndpoint: fips }),
    ...(dualStack !== undefined && { useDualstackEndpoint: dualStack }),
  });
  return awsKmsOver(client, options);
}

/** The backend over any {@link KmsCalls}. @internal */
export function awsKmsOver(client: KmsCalls, options: AwsKmsOptions): Backend {
  const breaker = new Breaker();
  const calls = new GuardedCalls(client, {
    operationTimeoutMs: options.operationTimeoutMs ?? 20_000,
    breaker,
    ...(options.observer && { observer: options.observer }),
  });
  const versions = new KeyVersions(calls, options);
  const on: Keyring = {
    calls,
    versions,
    publicKeys: new PublicKeys(calls, versions),
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
    id: options.id,
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

function requireOptions(options: AwsKmsOptions): void {
  const { fips, dualStack, endpoint } = options;
  if (endpoint !== undefined && (fips || dualStack)) {
    throw new TypeError(
      "endpoint cannot be combined with fips or dualStack: they choose among the region's own endpoints",
    );
  }
  if (options.roleArn === undefined && (options.externalId !== undefined || options.sessionName !== undefined)) {
    throw new TypeError("externalId and sessionName belong to roleArn, which is absent");
  }
  if (options.verify !== undefined && options.verify !== "kms" && options.verify !== "local") {
    throw new TypeError(`verify must be "kms" or "local", found ${String(options.verify)}`);
  }
  const { graceVersions = 0 } = options;
  if (!(Number.isSafeInteger(graceVersions) && graceVersions >= 0)) {
    throw new TypeError(`graceVersions must be an integer of at least 0, found ${String(graceVersions)}`);
  }
  const milliseconds = ["connectTimeoutMs", "attemptTimeoutMs", "operationTimeoutMs", "propagationTimeoutMs"] as const;
  for (const name of [...milliseconds, "maxAttempts", "connections"] as const) {
    const value = options[name];
    if (value !== undefined && !(Number.isSafeInteger(value) && value > 0)) {
      throw new TypeError(`${name} must be a positive integer, found ${String(value)}`);
    }
  }
}
