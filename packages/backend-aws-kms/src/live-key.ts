import { DescribeKeyCommand } from "@aws-sdk/client-kms";
import type { KeyRef } from "@basil/core";
import type { KmsKeyMetadata } from "./client.js";
import { keyReference } from "./key-ref.js";
import { lastOfEachKey } from "./known-versions.js";
import type { KmsLiveFinding, LiveFailure } from "./live-findings.js";
import { type LiveParts, LiveProof } from "./live-proof.js";
import { awsKmsActionsOnVersion } from "./permissions.js";
import { regionOfArn, whyUnusable } from "./probe.js";
import { versionReference } from "./version-alias.js";

/** A key, and the actions on it that somebody is let to cause. */
export interface KmsLiveKey {
  readonly key: KeyRef;
  /** IAM actions, such as `kms:Sign`; `kms:DescribeKey` is needed for every key and need not be named. */
  readonly needs: readonly string[];
  /**
   * Those that somebody may cause on other versions than the one in use, too; what is never called on such a version does
   * not count. Without it those versions are not asked about.
   */
  readonly versionNeeds?: readonly string[];
  /** The ARN of the key it was when it was last used, where that is known: an alias that was moved since is told. */
  readonly lastArn?: string;
}

export type KmsLiveKeyReport = KmsLiveDescribedKey | KmsLiveUnknownKey;

/** A key that KMS did not describe: findings say why. */
export interface KmsLiveUnknownKey {
  readonly key: string;
  readonly path: string;
  readonly arn?: undefined;
  readonly keySpec?: undefined;
  readonly keyUsage?: undefined;
  readonly keyState?: undefined;
  /** Always empty, as the two below. */
  readonly allowed: readonly string[];
  readonly unproved: readonly string[];
  readonly versions: readonly KmsLiveVersionReport[];
}

/** A key that KMS described. */
export interface KmsLiveDescribedKey {
  readonly key: string;
  readonly path: string;
  readonly arn: string;
  readonly keySpec: string;
  readonly keyUsage: string;
  readonly keyState: string;
  /** What KMS would do for this identity, DescribeKey included. */
  readonly allowed: readonly string[];
  /** What no rule needs and KMS said neither yes nor no to, each with its answer. */
  readonly unproved: readonly string[];
  /** The other versions that were asked about, oldest first. */
  readonly versions: readonly KmsLiveVersionReport[];
}

/** A version of a key beside the one in use; members as of the key. */
export interface KmsLiveVersionReport {
  readonly version: number;
  readonly arn: string;
  readonly keyState: string;
  readonly allowed: readonly string[];
  readonly unproved: readonly string[];
}

export interface LiveKeyResult {
  readonly report: KmsLiveKeyReport;
  readonly findings: readonly KmsLiveFinding[];
  /** Who AWS said is asking, where a denial told. */
  readonly principal: string | undefined;
}

export interface LiveKeyParts extends LiveParts {
  readonly region: string | undefined;
  /** Signatures are verified here, with the public key. */
  readonly verifiesHere: boolean;
  /** How many versions before the newest one still verify. */
  readonly graceVersions: number;
}

const MOST_VERSIONS = 1000;
/** As many as a backend passes over. */
const MOST_DENIED = 3;

/** Describes one key and asks about every action on it. A finding without a key is about all of them. */
export async function checkLiveKey(parts: LiveKeyParts, subject: KmsLiveKey): Promise<LiveKeyResult> {
  const run = new LiveKeyRun(parts, subject);
  await run.check();
  return run.result();
}

type Described = KmsKeyMetadata & { readonly [M in "Arn" | "KeySpec" | "KeyUsage" | "KeyState"]: string };

/** What the `/vN` aliases of a key lead to. */
interface Versions {
  readonly found: readonly { readonly version: number; readonly metadata: Described }[];
  readonly denied: readonly { readonly version: number; readonly failure: LiveFailure & { readonly kind: "denied" } }[];
  /** Why it is not known whether there are more. */
  readonly unknown?: { readonly version: number; readonly failure: LiveFailure };
}

class LiveKeyRun {
  readonly #parts: LiveKeyParts;
  readonly #subject: KmsLiveKey;
  readonly #keyId: string;
  readonly #proof: LiveProof;
  readonly #versions: KmsLiveVersionReport[] = [];
  #metadata: Described | undefined;
  #answered: Pick<KmsLiveDescribedKey, "allowed" | "unproved"> = { allowed: [], unproved: [] };

  constructor(parts: LiveKeyParts, subject: KmsLiveKey) {
    this.#parts = parts;
    this.#subject = subject;
    this.#keyId = keyReference(subject.key.path).keyId;
    this.#proof = new LiveProof(parts, subject.key);
  }

  result(): LiveKeyResult {
    const { name: key, path } = this.#subject.key;
    const answered = { ...this.#answered, versions: this.#versions };
    const report: KmsLiveKeyReport =
      this.#metadata === undefined
        ? { key, path, ...answered }
        : {
            key,
            path,
            arn: this.#metadata.Arn,
            keySpec: this.#metadata.KeySpec,
            keyUsage: this.#metadata.KeyUsage,
            keyState: this.#metadata.KeyState,
            ...answered,
          };
    return { report, findings: this.#proof.findings, principal: this.#proof.principal };
  }

  async check(): Promise<void> {
    const { key, needs } = this.#subject;
    const { region } = this.#parts;
    const keyRegion = regionOfArn(key.path);
    if (keyRegion !== undefined && region !== undefined && keyRegion !== region) {
      this.#fatal("region", `its ARN is of region ${keyRegion}, the backend calls ${region}`);
      return;
    }
    const described = await this.#describe(this.#keyId);
    if ("failure" in described) {
      const { failure } = described;
      const where = region ?? "the region";
      if (failure.kind !== "absent") this.#proof.failed(failure, "kms:DescribeKey");
      else this.#fatal("absent", `there is no key at ${this.#keyId} in ${where} (${failure.text})`);
      // The denial names the key that the alias leads to.
      if (failure.kind === "denied" && failure.resource !== undefined) {
        this.#checkAlias(failure.resource, await this.#lookForVersions());
      }
      return;
    }
    this.#metadata = described.value;
    const { Arn: arn } = described.value;
    this.#answered = { allowed: ["kms:DescribeKey"], unproved: [] };
    const reason = whyUnusable(key, described.value);
    // No answer to a dry run would say anything of the identity.
    if (reason !== undefined) {
      this.#fatal(codeOf(reason), `${reason} (${arn})`);
      return;
    }
    const versions = await this.#lookForVersions();
    this.#checkAlias(arn, versions);
    this.#answered = await this.#proof.of({ keyId: this.#keyId, arn, wanted: this.#asked(needs) });
    await this.#checkOthers(arn, versions);
  }

  #asked(actions: readonly string[]): ReadonlySet<string> {
    const { verifiesHere } = this.#parts;
    return new Set(actions.map((action) => (action === "kms:Verify" && verifiesHere ? "kms:GetPublicKey" : action)));
  }

  /** What old envelopes, old signatures and callers that name a version need. */
  async #checkOthers(arn: string, { found, denied, unknown }: Versions): Promise<void> {
    const { key, versionNeeds } = this.#subject;
    if (versionNeeds === undefined) return;
    const { graceVersions } = this.#parts;
    const current = found.find(({ metadata }) => metadata.Arn === arn)?.version ?? found.at(-1)?.version ?? 1;
    // Nothing was sealed or signed with a version that is only prepared.
    const severityOf = (version: number) => (version > current ? "warning" : "fatal");
    const wantedOf = (version: number) =>
      this.#asked(awsKmsActionsOnVersion(versionNeeds, { version, current, graceVersions }));
    for (const { version, failure } of denied) {
      // AWS does not tell whether there is such a version.
      if (this.#proof.stopped || failure.denial === "no-such-key") continue;
      const used = [...wantedOf(version)].some((action) => action !== "kms:DescribeKey");
      this.#proof.failed(failure, "kms:DescribeKey", { version, severity: used ? severityOf(version) : "warning" });
    }
    if (unknown !== undefined && !this.#proof.stopped) {
      const { version, failure } = unknown;
      this.#proof.failed(failure, "kms:DescribeKey", { version, severity: "warning" });
    }
    for (const { version, metadata } of found) {
      const { Arn: versionArn, KeyState: keyState } = metadata;
      const keyId = versionReference(key.path, version);
      if (this.#proof.stopped) return;
      if (keyId === undefined || versionArn === arn) continue;
      const reason = whyUnusable(key, metadata);
      if (reason !== undefined) {
        const message = `${reason} (${versionArn})`;
        this.#proof.tell({ code: codeOf(reason), severity: "warning", message, version });
      }
      const answered =
        reason === undefined
          ? await this.#proof.of({
              keyId,
              arn: versionArn,
              wanted: wantedOf(version),
              version,
              severity: severityOf(version),
            })
          : { allowed: ["kms:DescribeKey"], unproved: [] };
      this.#versions.push({ version, arn: versionArn, keyState, ...answered });
    }
  }

  #describe(KeyId: string) {
    const { live, signal } = this.#parts;
    return this.#proof.attempt(async () => {
      const { KeyMetadata } = await live.client.send(new DescribeKeyCommand({ KeyId }), { abortSignal: signal });
      for (const member of ["Arn", "KeySpec", "KeyUsage", "KeyState"] as const) {
        if (KeyMetadata?.[member] === undefined)
          throw new Error(`the answer to DescribeKey has no ${member}: is this KMS?`);
      }
      return KeyMetadata as Described;
    });
  }

  async #lookForVersions(): Promise<Versions> {
    const found: Versions["found"][number][] = [];
    const denied: Versions["denied"][number][] = [];
    let deniedInARow = 0;
    for (let version = 1; version <= MOST_VERSIONS && deniedInARow < MOST_DENIED; version += 1) {
      const reference = versionReference(this.#subject.key.path, version);
      if (reference === undefined) break;
      const described = await this.#describe(reference);
      if ("value" in described) {
        found.push({ version, metadata: described.value });
        deniedInARow = 0;
        continue;
      }
      const { failure } = described;
      if (failure.kind === "absent") break;
      if (failure.kind !== "denied") return { found: counted(found), denied, unknown: { version, failure } };
      denied.push({ version, failure });
      deniedInARow += 1;
    }
    return { found: counted(found), denied };
  }

  /** Told where the key has versions and is none of them; and without versions, where it was another when last used. */
  #checkAlias(arn: string, { found, denied, unknown }: Versions): void {
    const { key, lastArn } = this.#subject;
    // A version that the identity may not see could be the very one the alias leads to.
    if (unknown || denied.length > 0 || found.some(({ metadata }) => metadata.Arn === arn)) return;
    if (versionReference(key.path, 1) === undefined) return;
    const versions = found.map(({ version, metadata }) => `v${version} ${metadata.Arn}`);
    if (versions.length > 0) {
      this.#moved(`${key.path} leads to ${arn}, which is none of its versions: ${versions.join(", ")}`);
    } else if (lastArn !== undefined && lastArn !== arn) {
      this.#moved(`${key.path} leads to ${arn}; when the key was last used it was ${lastArn}`);
    }
  }

  #moved(message: string): void {
    this.#proof.tell({ code: "alias-moved", severity: "warning", message });
  }

  #fatal(code: KmsLiveFinding["code"], message: string): void {
    this.#proof.tell({ code, severity: "fatal", message });
  }
}

function counted(found: Versions["found"]): Versions["found"] {
  return lastOfEachKey(found, ({ metadata }) => metadata.Arn);
}

function codeOf(reason: string): "spec" | "state" {
  return /^its Key(?:Spec|Usage)/.test(reason) ? "spec" : "state";
}
