import type { KeyRef } from "@basil/core";
import type { CallerIdentity } from "./caller-identity.js";
import { dryRun, type ProvableAction, provableActions } from "./dry-run.js";
import type { LiveClient } from "./live-client.js";
import { type KmsLiveFinding, type LiveFailure, liveFailure } from "./live-findings.js";

export interface LiveParts {
  readonly live: LiveClient;
  readonly caller: Promise<CallerIdentity>;
  readonly signal: AbortSignal;
}

/** One KMS key: the one in use, or another version of it. */
interface ProofSubject {
  /** As the broker names it to KMS. */
  readonly keyId: string;
  readonly arn: string;
  readonly wanted: ReadonlySet<string>;
  /** Of a version that is not in use. */
  readonly version?: number;
  /** How bad it is that something wanted is denied; fatal by default. */
  readonly severity?: KmsLiveFinding["severity"];
}

/** What KMS would do with one KMS key, DescribeKey included, and what it said neither yes nor no to. */
interface Proved {
  readonly allowed: readonly string[];
  readonly unproved: readonly string[];
}

interface Proving extends ProofSubject {
  readonly allowed: Set<string>;
  readonly unproved: string[];
}

/** Asks about the actions on one key of a catalog, version after version, and keeps what is wrong with it. */
export class LiveProof {
  readonly findings: KmsLiveFinding[] = [];
  /** Who AWS said is asking, where a denial told. */
  principal: string | undefined;
  readonly #parts: LiveParts;
  readonly #key: KeyRef;

  constructor(parts: LiveParts, key: KeyRef) {
    this.#parts = parts;
    this.#key = key;
  }

  /** Something is wrong for every key alike. */
  get stopped(): boolean {
    return this.findings.some(({ key }) => key === undefined);
  }

  /** Every action that can be proved on a key that was described. */
  async of(subject: ProofSubject): Promise<Proved> {
    const { wanted } = subject;
    const proving: Proving = { ...subject, allowed: new Set(["kms:DescribeKey"]), unproved: [] };
    const actions = provableActions(this.#key);
    // What a broker needs first, so that whatever ignores a dry run is found out by no more than a signature.
    for (const action of [
      ...actions.filter((action) => wanted.has(action)),
      ...actions.filter((action) => !wanted.has(action)),
    ]) {
      if (!(await this.#prove(action, proving))) break;
    }
    return { allowed: [...proving.allowed], unproved: proving.unproved };
  }

  async attempt<T>(work: () => Promise<T>): Promise<{ readonly value: T } | { readonly failure: LiveFailure }> {
    try {
      return { value: await work() };
    } catch (error) {
      this.#parts.signal.throwIfAborted();
      const failure = liveFailure(error);
      if (failure.kind === "denied") this.principal ??= failure.principal;
      return { failure };
    }
  }

  tell({ version, message, ...finding }: Omit<KmsLiveFinding, "key">): void {
    const of = version === undefined ? { message } : { message: `version ${version}: ${message}`, version };
    this.findings.push({ key: this.#key.name, ...finding, ...of });
  }

  failed(
    failure: LiveFailure,
    action: ProvableAction | "kms:DescribeKey",
    at: Partial<Pick<ProofSubject, "arn" | "version" | "severity">> = {},
  ): void {
    const { kind, text } = failure;
    const { severity = "fatal", arn, version } = at;
    const of = version === undefined ? {} : { version };
    switch (kind) {
      case "denied": {
        const resource = failure.resource ?? arn;
        const message = `${action} is denied: ${text}`;
        const { denial } = failure;
        this.tell({ code: kind, severity, message, action, denial, ...of, ...(resource && { resource }) });
        break;
      }
      case "absent":
      case "state":
        this.tell({ code: kind, severity, message: text, ...of });
        break;
      case "unproved": {
        const weight = action === "kms:DescribeKey" ? severity : "warning";
        const message = `${action} is neither allowed nor denied: ${text}`;
        this.tell({ code: kind, severity: weight, message, action, ...of });
        break;
      }
      default:
        this.findings.push({ code: kind, severity: "fatal", message: text });
    }
  }

  /** @returns whether to go on. */
  async #prove(action: ProvableAction, proving: Proving): Promise<boolean> {
    const { keyId, arn, wanted, allowed, unproved } = proving;
    if (allowed.has(action)) return true;
    const { live, signal, caller } = this.#parts;
    let principal: string | undefined;
    if (action === "kms:CreateGrant") {
      const identity = await caller;
      if ("unknown" in identity) {
        unproved.push(`${action}: who would be granted to is not known`);
        return true;
      }
      principal = identity.arn;
    }
    const subject = { key: this.#key, keyId, arn, principal };
    const answer = await this.attempt(() => dryRun(live.client, action, subject, signal));
    if ("failure" in answer) {
      const { failure } = answer;
      if (wanted.has(action) || isGlobal(failure)) this.failed(failure, action, proving);
      else if (failure.kind !== "denied") unproved.push(`${action}: ${failure.text}`);
      // Of the two actions of one operation, the first is judged first.
      else if (failure.action === "kms:ReEncryptTo" && action === "kms:ReEncryptFrom") this.#may(action, proving);
      return !this.stopped;
    }
    if (answer.value === "did") {
      const message = `${action} was marked DryRun and was done all the same: what answers at ${await live.origin} does not know dry runs`;
      this.findings.push({ code: "dry-run-ignored", severity: "fatal", message, action });
      return false;
    }
    for (const may of action === "kms:ReEncryptFrom" ? (["kms:ReEncryptFrom", "kms:ReEncryptTo"] as const) : [action])
      this.#may(may, proving);
    return true;
  }

  #may(action: ProvableAction, { arn: resource, wanted, allowed, version }: Proving): void {
    allowed.add(action);
    if (wanted.has(action)) return;
    const message = `${action} is allowed, and no rule needs it`;
    const of = version === undefined ? {} : { version };
    this.tell({ code: "excess", severity: "warning", message, action, resource, ...of });
  }
}

/** Whether to ask on would only meet the same again. */
function isGlobal(failure: LiveFailure): boolean {
  if (failure.kind === "unreachable") return !failure.answered;
  return failure.kind === "credentials" || failure.kind === "clock" || failure.kind === "region";
}
