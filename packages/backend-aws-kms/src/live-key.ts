import { DescribeKeyCommand } from "@aws-sdk/client-kms";
import type { KeyRef } from "@basil/core";
import type { CallerIdentity } from "./caller-identity.js";
import type { KmsKeyMetadata } from "./client.js";
import { dryRun, type ProvableAction, provableActions } from "./dry-run.js";
import { keyReference } from "./key-ref.js";
import type { LiveClient } from "./live-client.js";
import { type KmsLiveFinding, type LiveFailure, liveFailure } from "./live-findings.js";
import { regionOfArn, whyUnusable } from "./probe.js";
import { versionReference } from "./version-alias.js";

/** A key, and the actions on it that somebody is let to cause. */
export interface KmsLiveKey {
  readonly key: KeyRef;
  /** IAM actions, such as `kms:Sign`; `kms:DescribeKey` is needed for every key and need not be named. */
  readonly needs: readonly string[];
  /** The ARN of the key it was when it was last used, where that is known: an alias that was moved since is told. */
  readonly lastArn?: string;
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
  /** What no rule needs and KMS said neither yes nor no to, each with its answer. */
  readonly unproved: readonly string[];
}

export interface LiveKeyResult {
  readonly report: KmsLiveKeyReport;
  readonly findings: readonly KmsLiveFinding[];
  /** Who AWS said is asking, where a denial told. */
  readonly principal: string | undefined;
}

export interface LiveKeyParts {
  readonly live: LiveClient;
  readonly region: string | undefined;
  /** Signatures are verified here, with the public key. */
  readonly verifiesHere: boolean;
  readonly caller: Promise<CallerIdentity>;
  readonly signal: AbortSignal;
}

const MOST_VERSIONS = 1000;

/** Describes one key and asks about every action on it. A finding without a key is about all of them. */
export async function checkLiveKey(parts: LiveKeyParts, { key, needs, lastArn }: KmsLiveKey): Promise<LiveKeyResult> {
  const run = new LiveKeyRun(parts, key, lastArn);
  await run.check(new Set(needs.map((action) => asked(action, parts.verifiesHere))));
  return run.result();
}

function asked(action: string, verifiesHere: boolean): string {
  return action === "kms:Verify" && verifiesHere ? "kms:GetPublicKey" : action;
}

/** Whether to ask on would only meet the same again. */
function isGlobal(failure: LiveFailure): boolean {
  if (failure.kind === "unreachable") return !failure.answered;
  return failure.kind === "credentials" || failure.kind === "clock" || failure.kind === "region";
}

class LiveKeyRun {
  readonly #parts: LiveKeyParts;
  readonly #key: KeyRef;
  readonly #keyId: string;
  readonly #lastArn: string | undefined;
  readonly #findings: KmsLiveFinding[] = [];
  readonly #allowed = new Set<string>();
  readonly #unproved: string[] = [];
  #metadata: KmsKeyMetadata = {};
  #principal: string | undefined;

  constructor(parts: LiveKeyParts, key: KeyRef, lastArn: string | undefined) {
    this.#parts = parts;
    this.#lastArn = lastArn;
    this.#key = key;
    this.#keyId = keyReference(key.path).keyId;
  }

  result(): LiveKeyResult {
    const { Arn, KeySpec, KeyUsage, KeyState } = this.#metadata;
    const report = {
      key: this.#key.name,
      path: this.#key.path,
      ...(Arn !== undefined && { arn: Arn }),
      ...(KeySpec !== undefined && { keySpec: KeySpec }),
      ...(KeyUsage !== undefined && { keyUsage: KeyUsage }),
      ...(KeyState !== undefined && { keyState: KeyState }),
      allowed: [...this.#allowed],
      unproved: this.#unproved,
    };
    return { report, findings: this.#findings, principal: this.#principal };
  }

  async check(wanted: ReadonlySet<string>): Promise<void> {
    const { region } = this.#parts;
    const keyRegion = regionOfArn(this.#key.path);
    if (keyRegion !== undefined && region !== undefined && keyRegion !== region) {
      this.#fatal("region", `its ARN is of region ${keyRegion}, the backend calls ${region}`);
      return;
    }
    const described = await this.#try(() => this.#describe(this.#keyId));
    if ("failure" in described) {
      const { failure } = described;
      const where = region ?? "the region";
      if (failure.kind !== "absent") this.#failed(failure, "kms:DescribeKey");
      else this.#fatal("absent", `there is no key at ${this.#keyId} in ${where} (${failure.text})`);
      // The denial names the key that the alias leads to.
      if (failure.kind === "denied" && failure.resource !== undefined) await this.#checkAlias(failure.resource);
      return;
    }
    this.#metadata = described.value;
    const { Arn: arn = this.#keyId } = described.value;
    this.#allowed.add("kms:DescribeKey");
    const reason = whyUnusable(this.#key, described.value);
    // No answer to a dry run would say anything of the identity.
    if (reason !== undefined) {
      this.#fatal(/^its Key(?:Spec|Usage)/.test(reason) ? "spec" : "state", `${reason} (${arn})`);
      return;
    }
    await this.#checkAlias(arn);
    const actions = provableActions(this.#key);
    // What a broker needs first, so that whatever ignores a dry run is found out by no more than a signature.
    for (const action of [
      ...actions.filter((action) => wanted.has(action)),
      ...actions.filter((action) => !wanted.has(action)),
    ]) {
      if (!(await this.#prove(action, arn, wanted))) return;
    }
  }

  /** @returns whether to go on. */
  async #prove(action: ProvableAction, arn: string, wanted: ReadonlySet<string>): Promise<boolean> {
    if (this.#allowed.has(action)) return true;
    const { live, signal, caller } = this.#parts;
    let principal: string | undefined;
    if (action === "kms:CreateGrant") {
      const identity = await caller;
      if ("unknown" in identity) {
        this.#unproved.push(`${action}: who would be granted to is not known`);
        return true;
      }
      principal = identity.arn;
    }
    const subject = { key: this.#key, keyId: this.#keyId, arn, principal };
    const answer = await this.#try(() => dryRun(live.client, action, subject, signal));
    if ("failure" in answer) {
      const { failure } = answer;
      if (wanted.has(action) || isGlobal(failure)) this.#failed(failure, action, arn);
      else if (failure.kind !== "denied") this.#unproved.push(`${action}: ${failure.text}`);
      // Of the two actions of one operation, the first is judged first.
      else if (failure.action === "kms:ReEncryptTo" && action === "kms:ReEncryptFrom") this.#may(action, arn, wanted);
      return this.#findings.every(({ key }) => key !== undefined);
    }
    if (answer.value === "did") {
      const message = `${action} was marked DryRun and was done all the same: what answers at ${await live.origin} does not know dry runs`;
      this.#findings.push({ code: "dry-run-ignored", severity: "fatal", message, action });
      return false;
    }
    for (const may of action === "kms:ReEncryptFrom" ? (["kms:ReEncryptFrom", "kms:ReEncryptTo"] as const) : [action])
      this.#may(may, arn, wanted);
    return true;
  }

  #may(action: ProvableAction, resource: string, wanted: ReadonlySet<string>): void {
    this.#allowed.add(action);
    if (wanted.has(action)) return;
    const message = `${action} is allowed, and no rule needs it`;
    this.#tell({ code: "excess", severity: "warning", message, action, resource });
  }

  async #describe(KeyId: string): Promise<KmsKeyMetadata> {
    const { live, signal } = this.#parts;
    const { KeyMetadata } = await live.client.send(new DescribeKeyCommand({ KeyId }), { abortSignal: signal });
    if (KeyMetadata === undefined) throw new Error("DescribeKey was answered without KeyMetadata");
    return KeyMetadata;
  }

  async #checkAlias(arn: string): Promise<void> {
    const moved = await this.#movedAlias(arn);
    if (moved !== undefined) this.#tell({ code: "alias-moved", severity: "warning", message: moved });
  }

  /** Told where the key has versions and is none of them; and without versions, where it was another when last used. */
  async #movedAlias(arn: string): Promise<string | undefined> {
    const versions: string[] = [];
    for (let version = 1; version <= MOST_VERSIONS; version += 1) {
      const reference = versionReference(this.#key.path, version);
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
    if (versions.length === 0) {
      if (this.#lastArn === undefined || this.#lastArn === arn) return undefined;
      return `${this.#key.path} leads to ${arn}; when the key was last used it was ${this.#lastArn}`;
    }
    return `${this.#key.path} leads to ${arn}, which is none of its versions: ${versions.join(", ")}`;
  }

  async #try<T>(work: () => Promise<T>): Promise<{ readonly value: T } | { readonly failure: LiveFailure }> {
    try {
      return { value: await work() };
    } catch (error) {
      this.#parts.signal.throwIfAborted();
      const failure = liveFailure(error);
      if (failure.kind === "denied") this.#principal ??= failure.principal;
      return { failure };
    }
  }

  #tell(finding: Omit<KmsLiveFinding, "key">): void {
    this.#findings.push({ key: this.#key.name, ...finding });
  }

  #fatal(code: KmsLiveFinding["code"], message: string): void {
    this.#tell({ code, severity: "fatal", message });
  }

  #failed(failure: LiveFailure, action: ProvableAction | "kms:DescribeKey", arn?: string): void {
    const { kind, text } = failure;
    switch (kind) {
      case "denied": {
        const resource = failure.resource ?? arn;
        const message = `${action} is denied: ${text}`;
        const { denial } = failure;
        this.#tell({ code: kind, severity: "fatal", message, action, denial, ...(resource && { resource }) });
        break;
      }
      case "absent":
      case "state":
        this.#fatal(kind, text);
        break;
      case "unproved": {
        const severity = action === "kms:DescribeKey" ? "fatal" : "warning";
        this.#tell({ code: kind, severity, message: `${action} is neither allowed nor denied: ${text}`, action });
        break;
      }
      default:
        this.#findings.push({ code: kind, severity: "fatal", message: text });
    }
  }
}
