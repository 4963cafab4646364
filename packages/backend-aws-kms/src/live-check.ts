import { within } from "@basil/core";
import { type CallerIdentity, callerIdentity } from "./caller-identity.js";
import { CredentialSourceError } from "./credential-error.js";
import { credentialProvider } from "./credential-provider.js";
import type { AwsCredentials } from "./credentials.js";
import { LIVE_CONNECTIONS, type LiveClient, openLiveClient } from "./live-client.js";
import { type KmsLiveFinding, liveFailure } from "./live-findings.js";
import { checkLiveKey, type KmsLiveKey, type KmsLiveKeyReport, type LiveKeyResult } from "./live-key.js";
import type { AwsKmsOptions } from "./options.js";

/** What a live check found; see {@link checkAwsKms}. */
export interface KmsLiveReport {
  readonly region?: string;
  readonly identity?: KmsLiveIdentity;
  /** How far the clock of KMS is ahead of this host's, in milliseconds; absent when nothing answered. */
  readonly skewMs?: number;
  /** Those that were asked about, in the order given. */
  readonly keys: readonly KmsLiveKeyReport[];
  readonly findings: readonly KmsLiveFinding[];
}

export interface KmsLiveIdentity {
  /** Which profile or chain, and which provider of it, the credentials come from. */
  readonly source: string;
  /** The IAM or STS ARN, by `sts:GetCallerIdentity` or else by a denial. */
  readonly arn?: string;
  /** Why there is no `arn`. */
  readonly arnUnknown?: string;
  readonly expiresAt?: Date;
}

export interface KmsLiveOptions {
  readonly signal: AbortSignal;
  /** Told after each key. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** AWS refuses a request that is signed more than five minutes off; the client corrects its time and repeats it. */
const REFUSED_SKEW_MS = 300_000;
const MOST_SKEW_MS = 60_000;
const CREDENTIALS_DEADLINE_MS = 15_000;

/**
 * Asks AWS KMS whether this identity can serve these keys, and can do no more than that. Everything is done by DescribeKey,
 * GetPublicKey, `DryRun` and STS GetCallerIdentity: nothing is signed, encrypted, decrypted, created or changed. What fails
 * is a finding. At most eight requests are under way; what is wrong for every key alike ends the check at once.
 *
 * @throws TypeError for an option that is out of range; the signal's reason once it aborts.
 */
export async function checkAwsKms(
  options: AwsKmsOptions,
  keys: readonly KmsLiveKey[],
  { signal, onProgress }: KmsLiveOptions,
): Promise<KmsLiveReport> {
  signal.throwIfAborted();
  using live = openLiveClient(options);
  const region = await live.client.config.region().catch(() => undefined);
  const credentials = await credentialsOf(live, signal);
  if (typeof credentials === "string") {
    const findings: KmsLiveFinding[] = [{ code: "credentials", severity: "fatal", message: credentials }];
    return { ...(region !== undefined && { region }), keys: [], findings };
  }
  const caller = callerIdentity(live, options, signal);
  // Awaited below, unless the check ends by being aborted.
  caller.catch(() => {});
  const { verify, graceVersions = 1 } = options;
  const parts = { live, region, verifiesHere: verify === "local", graceVersions, caller, signal };
  const results = await inTurn(keys, (key) => checkLiveKey(parts, key), onProgress);
  live.finish();
  const identity = identityOf(
    credentials,
    options,
    await caller,
    results.find(({ principal }) => principal)?.principal,
  );
  const findings = eachOnce(results.flatMap((result) => result.findings));
  const skewMs = live.skewMs();
  const clock =
    skewMs === undefined || findings.some(({ code }) => code === "clock") ? undefined : clockFinding(skewMs);
  return {
    ...(region !== undefined && { region }),
    identity,
    ...(skewMs !== undefined && { skewMs }),
    keys: results.map(({ report }) => report),
    findings: clock === undefined ? findings : [clock, ...findings],
  };
}

/** The credentials, or why there are none; a provider that never answers is not waited for. */
async function credentialsOf(live: LiveClient, signal: AbortSignal): Promise<AwsCredentials | string> {
  const late = new Error(`their source did not answer within ${CREDENTIALS_DEADLINE_MS / 1000} s`);
  try {
    return await within(CREDENTIALS_DEADLINE_MS, signal, () => live.credentials(), { late: () => late });
  } catch (failure) {
    signal.throwIfAborted();
    if (failure === late) return late.message;
    const { text } = liveFailure(failure);
    return failure instanceof CredentialSourceError ? `${text}; ${failure.remedy}` : text;
  }
}

/** The first key alone, so that an identity that can do nothing is asked about once; then as many as there are connections. */
async function inTurn(
  keys: readonly KmsLiveKey[],
  check: (key: KmsLiveKey) => Promise<LiveKeyResult>,
  onProgress: KmsLiveOptions["onProgress"],
): Promise<LiveKeyResult[]> {
  const results = new Map<number, LiveKeyResult>();
  let next = 0;
  let stopped = false;
  const work = async (most: number): Promise<void> => {
    for (; next < most && !stopped; ) {
      const index = next;
      next += 1;
      const key = keys[index];
      if (key === undefined) return;
      const result = await check(key);
      results.set(index, result);
      stopped ||= result.findings.some((finding) => finding.key === undefined);
      onProgress?.(results.size, keys.length);
    }
  };
  await work(1);
  await Promise.all(Array.from({ length: LIVE_CONNECTIONS }, () => work(keys.length)));
  return [...results].sort(([a], [b]) => a - b).map(([, result]) => result);
}

/** What is about every key is told by several that were asked about at the same time. */
function eachOnce(findings: readonly KmsLiveFinding[]): KmsLiveFinding[] {
  const global = new Set<string>();
  return findings.filter(({ key, code }) => key !== undefined || (!global.has(code) && global.add(code)));
}

function clockFinding(skewMs: number): KmsLiveFinding | undefined {
  const off = Math.abs(skewMs);
  if (off <= MOST_SKEW_MS) return undefined;
  const message = `this host's clock is ${Math.round(off / 1000)} s ${skewMs > 0 ? "behind" : "ahead of"} that of AWS, which refuses a request that is ${REFUSED_SKEW_MS / 1000} s off; the agent starts, and corrects its time at the first refusal`;
  return { code: "clock", severity: "warning", message };
}

function identityOf(
  credentials: AwsCredentials,
  { profile, roleArn, credentials: given }: AwsKmsOptions,
  caller: CallerIdentity,
  denied: string | undefined,
): KmsLiveIdentity {
  const chain = given === undefined ? "the default AWS chain" : "the program";
  const provider = credentialProvider(credentials);
  const from = `${profile === undefined ? chain : `profile "${profile}"`}${provider === undefined ? "" : ` (${provider})`}`;
  const arn = "arn" in caller ? caller.arn : denied;
  const { expiration } = credentials;
  return {
    source: roleArn === undefined ? from : `${roleArn}, assumed with ${from}`,
    ...(arn !== undefined && { arn }),
    ...(arn === undefined && "unknown" in caller && { arnUnknown: caller.unknown }),
    ...(expiration !== undefined && { expiresAt: expiration }),
  };
}
