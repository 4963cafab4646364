import type { BackendLogger } from "@basil/core";
import type { AwsCredentials } from "./credentials.js";
import type { KmsObserver } from "./observer.js";
import type { RotationOptions } from "./rotation.js";

/** A longer timer goes off at once (Node's `setTimeout`). */
export const LONGEST_TIMER_MS = 0x7fff_ffff;

/** Where KMS is, as whom it is called, and how long anything may take. Everything has a default. */
export interface AwsKmsOptions {
  /** The catalog's name for the backend, `aws-kms` by default. */
  readonly id?: string;
  /** For example `eu-central-1`. Without one: `AWS_REGION`, then the profile's. */
  readonly region?: string;
  /** A profile of the shared config and credentials files. Without one the SDK's default chain decides. */
  readonly profile?: string;
  /** An `http:` or `https:` URL in place of the region's own. */
  readonly endpoint?: string;
  /** Credentials from elsewhere, in place of the SDK's chain; a function is asked again when they expire or are refused. */
  readonly credentials?: AwsCredentials | (() => Promise<AwsCredentials>);
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
  /**
   * How Sign, Verify, Encrypt, Decrypt, GetPublicKey and DescribeKey are sent: `lean` (the default) is this package's own
   * JSON 1.1 and Signature Version 4, at a fraction of the processor time; `sdk` leaves them to the AWS SDK. Credentials,
   * endpoint, retries and errors are the same.
   */
  readonly wire?: "lean" | "sdk";
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

/** @throws TypeError for an option that is out of range, or that contradicts another. */
export function requireOptions(options: AwsKmsOptions): void {
  const { fips, dualStack, endpoint, credentials, profile } = options;
  if (credentials !== undefined && profile !== undefined) {
    throw new TypeError("credentials and profile cannot be combined: each of them says who calls");
  }
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
  if (options.wire !== undefined && options.wire !== "lean" && options.wire !== "sdk") {
    throw new TypeError(`wire must be "lean" or "sdk", found ${String(options.wire)}`);
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
    if (value !== undefined && value > LONGEST_TIMER_MS) {
      throw new TypeError(`${name} must be at most ${LONGEST_TIMER_MS}, found ${value}`);
    }
  }
}
