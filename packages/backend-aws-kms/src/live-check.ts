import { DescribeKeyCommand } from "@aws-sdk/client-kms";
import type { KeyRef } from "@basil/core";
import type { KmsKeyMetadata } from "./client.js";
import type { AwsCredentials } from "./credentials.js";
import { dryRun, type ProvableAction, provableActions } from "./dry-run.js";
import { keyReference } from "./key-ref.js";
import { type LiveClient, openLiveClient } from "./live-client.js";
import { type KmsLiveFinding, type LiveFailure, liveFailure } from "./live-findings.js";
import type { AwsKmsOptions } from "./options.js";
import { regionOfArn, whyUnusable } from "./probe.js";
import { versionReference } from "./version-alias.js";

/** A key, and the actions on it that somebody is let to cause. */
export interface KmsLiveKey {
  readonly key: KeyRef;
  /** IAM actions, such as `kms:Sign`; `kms:DescribeKey` is needed for every key and need not be named. */
  readonly needs: readonly string[];
}

export interface KmsLiveReport {
  readonly region?: string;
  readonly identity?: KmsLiveIdentity;
  /** How far the clock of KMS is ahead of this host's, in milliseconds; absent when nothing answered. */
  readonly skewMs?: number;
  readonly keys: readonly KmsLiveKeyReport[];
  readonly findings: readonly KmsLiveFinding[];
}

export interface KmsLiveIdentity {
  /** Where the credentials come from, as far as their provider says. */
  readonly source: string;
  /** The IAM or STS ARN, where an answer named it: KMS tells it in denials only. */
  readonly arn?: string;
  readonly expiresAt?: Date;
}

export interface KmsLiveKeyReport {
  readonly key: string;
  readonly path: string;
  readonly arn?: string;
  readonly keySpec?: string;
  readonly keyUsage?: string;
  readonly keyState?: string;
  /** What KMS would do for this identity, DescribeKey included. */
  readonly allowed: readonly string[];
}

/** AWS refuses a request that is signed more than five minutes off. */
const MOST_SKEW_MS = 60_000;
const MOST_VERSIONS = 1000;

/**
 * Asks AWS KMS whether this identity can serve these keys, and can do no more than that. Everything is done by DescribeKey,
 * GetPublicKey and `DryRun`: nothing is signed, encrypted, decrypted, created or changed. What fails is a finding.
 *
 * @throws TypeError for an option that is out of range; the signal's reason once it aborts.
 */
export async function checkAwsKms(
  options: AwsKmsOptions,
  keys: readonly KmsLiveKey[],
  { signal }: { readonly signal: AbortSignal },
): Promise<KmsLiveReport> {
  using live = openLiveClient(options);
  const findings: KmsLiveFinding[] = [];
  const reports: KmsLiveKeyReport[] = [];
  let principal: string | undefined;
  const region = await live.client.config.region().catch(() => undefined);
  const credentials = await live.credentials().catch((failure: unknown) => {
    findings.push({ code: "credentials", severity: "fatal", message: liveFailure(failure).text });
    return undefined;
  });
  const run = new LiveRun(live, region, options.verify === "local", signal);
  for (const key of credentials === undefined ? [] : keys) {
    const done = await run.check(key);
    findings.push(...done.findings);
    reports.push(done.report);
    principal ??= done.principal;
    // What is wrong with the identity or the way there is wrong for every key alike.
    if (done.findings.some(({ key: about }) => about === undefined)) break;
  }
  const skewMs = live.skewMs();
  if (skewMs !== undefined && Math.abs(skewMs) > MOST_SKEW_MS && !findings.some(({ code }) => code === "clock")) {
    const message = `this host's clock is ${Math.round(Math.abs(skewMs) / 1000)} s ${skewMs > 0 ? "behind" : "ahead of"} that of AWS, which refuses requests from 300 s on`;
    findings.unshift({ code: "clock", severity: Math.abs(skewMs) > 300_000 ? "fatal" : "warning", message });
  }
  return {
    ...(region !== undefined && { region }),
    ...(credentials && { identity: identityOf(credentials, options, principal) }),
    ...(skewMs !== undefined && { skewMs }),
    keys: reports,
    findings,
  };
}

interface Done {
  readonly report: KmsLiveKeyReport;
  readonly findings: readonly KmsLiveFinding[];
  readonly principal: string | undefined;
}

class LiveRun {
  readonly #live: LiveClient;
  readonly #region: string | undefined;
  readonly #verifiesHere: boolean;
  readonly #signal: AbortSignal;

  constructor(live: LiveClient, region: string | undefined, verifiesHere: boolean, signal: AbortSignal) {
    this.#live = live;
    this.#region = region;
    this.#verifiesHere = verifiesHere;
    this.#signal = signal;
  }

  async check({ key, needs }: KmsLiveKey): Promise<Done> {
    const findings: KmsLiveFinding[] = [];
    const { keyId } = keyReference(key.path);
    const of = { key: key.name, path: key.path };
    const fatal = (code: KmsLiveFinding["code"], message: string) =>
      findings.push({ code, severity: "fatal", key: key.name, message });
    const keyRegion = regionOfArn(key.path);
    if (keyRegion !== undefined && this.#region !== undefined && keyRegion !== this.#region) {
      fatal("region", `its ARN is of region ${keyRegion}, the backend calls ${this.#region}`);
      return { report: { ...of, allowed: [] }, findings, principal: undefined };
    }
    const described = await this.#try(() => this.#describe(keyId));
    if ("failure" in described) {
      const { failure } = described;
      if (failure.kind === "absent") {
        fatal("absent", `there is no key at ${keyId} in ${this.#region ?? "the region"} (${failure.text})`);
      } else findings.push(this.#findingOf(failure, key, "kms:DescribeKey"));
      return { report: { ...of, allowed: [] }, findings, principal: principalOf(failure) };
    }
    const metadata = described.value;
    const { Arn, KeySpec, KeyUsage, KeyState } = metadata;
    const report = {
      ...of,
      ...(Arn !== undefined && { arn: Arn }),
      ...(KeySpec !== undefined && { keySpec: KeySpec }),
      ...(KeyUsage !== undefined && { keyUsage: KeyUsage }),
      ...(KeyState !== undefined && { keyState: KeyState }),
    };
    const allowed: string[] = ["kms:DescribeKey"];
    const reason = whyUnusable(key, metadata);
    // No answer to a dry run would say anything of the identity.
    if (reason !== undefined) {
      fatal(/^its Key(?:Spec|Usage)/.test(reason) ? "spec" : "state", `${reason} (${Arn ?? keyId})`);
      return { report: { ...report, allowed }, findings, principal: undefined };
    }
    const moved = await this.#movedAlias(key, Arn);
    if (moved !== undefined) findings.push({ code: "alias-moved", severity: "warning", key: key.name, message: moved });
    let principal: string | undefined;
    const wanted = new Set(needs.map((action) => this.#asked(action)));
    for (const action of provableActions(key)) {
      const asked = await this.#try(() => dryRun(this.#live.client, action, key, keyId, this.#signal));
      if (!("failure" in asked)) {
        allowed.push(action);
        if (wanted.has(action)) continue;
        const message = `${action} is allowed, and no rule needs it`;
        const resource = Arn === undefined ? {} : { resource: Arn };
        findings.push({ code: "excess", severity: "warning", key: key.name, message, action, ...resource });
        continue;
      }
      principal ??= principalOf(asked.failure);
      if (wanted.has(action)) findings.push(this.#findingOf(asked.failure, key, action, Arn));
    }
    return { report: { ...report, allowed }, findings, principal };
  }

  #asked(action: string): string {
    return action === "kms:Verify" && this.#verifiesHere ? "kms:GetPublicKey" : action;
  }

  async #describe(KeyId: string): Promise<KmsKeyMetadata> {
    const { KeyMetadata } = await this.#live.client.send(new DescribeKeyCommand({ KeyId }), {
      abortSignal: this.#signal,
    });
    if (KeyMetadata === undefined) throw new Error("DescribeKey was answered without KeyMetadata");
    return KeyMetadata;
  }

  /** Told only where the key has versions: an alias that was never rotated by Basil leads where it leads. */
  async #movedAlias(key: KeyRef, arn: string | undefined): Promise<string | undefined> {
    const versions: string[] = [];
    for (let version = 1; version <= MOST_VERSIONS; version += 1) {
      const reference = versionReference(key.path, version);
      if (reference === undefined) return undefined;
      const found = await this.#try(() => this.#describe(reference));
      if ("failure" in found) {
        // A version that the identity may not see could be the very one the alias leads to.
        if (found.failure.kind !== "absent") return undefined;
        break;
      }
      if (found.value.Arn === arn) return undefined;
      versions.push(`v${version} ${found.value.Arn}`);
    }
    if (versions.length === 0) return undefined;
    return `${key.path} leads to ${arn}, which is none of its versions: ${versions.join(", ")}`;
  }

  async #try<T>(work: () => Promise<T>): Promise<{ readonly value: T } | { readonly failure: LiveFailure }> {
    try {
      return { value: await work() };
    } catch (failure) {
      this.#signal.throwIfAborted();
      return { failure: liveFailure(failure) };
    }
  }

  #findingOf(
    failure: LiveFailure,
    key: KeyRef,
    action: ProvableAction | "kms:DescribeKey",
    arn?: string,
  ): KmsLiveFinding {
    const severity = "fatal";
    if (failure.kind !== "denied") {
      const about = failure.kind === "state" || failure.kind === "absent" ? { key: key.name } : {};
      return { code: failure.kind, severity, ...about, message: failure.text };
    }
    const { denial, text } = failure;
    const resource = failure.resource ?? arn;
    const message = `${action} is denied: ${text}`;
    return { code: "denied", severity, key: key.name, message, action, denial, ...(resource && { resource }) };
  }
}

function principalOf(failure: LiveFailure): string | undefined {
  return failure.kind === "denied" ? failure.principal : undefined;
}

function identityOf(
  { expiration, ...rest }: AwsCredentials & { readonly $source?: object },
  { profile, roleArn, credentials }: AwsKmsOptions,
  arn: string | undefined,
): KmsLiveIdentity {
  const told = Object.keys(rest.$source ?? {}).map((name) => name.replace(/^CREDENTIALS_/, "").toLowerCase());
  const chain = credentials === undefined ? "the default AWS chain" : "credentials given by the program";
  const from = profile === undefined ? chain : `profile "${profile}"`;
  const provider = told.length === 0 ? "" : ` (${told.join(", ")})`;
  return {
    source: `${roleArn === undefined ? "" : `${roleArn} by `}${from}${provider}`,
    ...(arn !== undefined && { arn }),
    ...(expiration !== undefined && { expiresAt: expiration }),
  };
}
