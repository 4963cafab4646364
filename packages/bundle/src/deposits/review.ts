import { createHash } from "node:crypto";
import type { ClearPart } from "../clear-part.js";
import { LIMITS } from "../limits.js";
import { nameProblem } from "../name.js";
import type { Payload, PayloadBackend } from "../payload.js";
import { decodeToken, encodeToken } from "../token.js";
import type { StoredDeposit } from "./deposit-folder.js";
import { type DepositRecord, decodeDepositRecord, isSignedBy } from "./deposit-record.js";
import { openCredential } from "./sealed-credential.js";

/** Why a record counts or does not, in the order in which they are found. */
export const DEPOSIT_STATUSES = [
  "missing-ingest-identity",
  "log-too-large",
  "malformed",
  "wrong-bundle",
  "stale-epoch",
  "unauthorized-contributor",
  "unauthorized-backend",
  "bad-signature",
  "decrypt-failed",
  "decode-failed",
  "replayed",
  "superseded",
  "effective",
] as const;
export type DepositStatus = (typeof DEPOSIT_STATUSES)[number];

export interface DepositReview {
  /** Place in the deposit folder by file name, from 0. */
  readonly index: number;
  /** File name in the deposit folder. */
  readonly file: string;
  readonly status: DepositStatus;
  /** What promoting it would do; `unknown` when it could not be opened. */
  readonly action: "new" | "replace" | "unknown";
  /** `sha256:` and the digest of the sealed part, which its maker can compute too; `-` when there is none. */
  readonly fingerprint: string;
  /** Absent when the file holds no record. */
  readonly record?: Pick<DepositRecord, "backend" | "contributor" | "epoch" | "sequence" | "publicKey">;
}

/** A review and the credential of an effective record, which the caller zeroes. */
export interface ReviewedDeposit extends DepositReview {
  readonly credential?: PayloadBackend;
}

/** Judges every record against the bundle it lies beside. */
export async function reviewDeposits(
  clear: ClearPart,
  payload: Payload,
  stored: readonly StoredDeposit[],
): Promise<ReviewedDeposit[]> {
  const judged: Judged[] = [];
  for (const deposit of stored) judged.push(await judge(clear, payload, deposit));
  const chosen = new Map<string, Judged>();
  for (const candidate of judged) {
    const { record } = candidate;
    if (candidate.status !== "effective" || record === undefined) continue;
    const before = chosen.get(record.backend)?.record;
    // A backend has one contributor, so sequences of one counter are compared; of equal ones the later file counts.
    if (before === undefined || record.sequence >= before.sequence) chosen.set(record.backend, candidate);
  }
  return judged.map((candidate) => {
    if (candidate.status !== "effective" || chosen.get(candidate.record?.backend ?? "") === candidate) return candidate;
    candidate.credential?.json.fill(0);
    const { credential: _zeroed, ...rest } = candidate;
    return { ...rest, status: "superseded" };
  });
}

export function fingerprintOf(sealed: string): string {
  return `sha256:${encodeToken(
    createHash("sha256")
      .update(decodeToken(sealed) ?? new Uint8Array())
      .digest(),
  )}`;
}

type Judged = ReviewedDeposit;

async function judge(clear: ClearPart, payload: Payload, { index, file, bytes }: StoredDeposit): Promise<Judged> {
  const unopened = { index, file, action: "unknown", fingerprint: "-" } as const;
  const keyless = payload.depositKey === undefined;
  if (index >= LIMITS.deposits || bytes === undefined) {
    return { ...unopened, status: keyless ? "missing-ingest-identity" : "log-too-large" };
  }
  let record: DepositRecord;
  try {
    record = decodeDepositRecord(bytes);
  } catch {
    return { ...unopened, status: keyless ? "missing-ingest-identity" : "malformed" };
  }
  const { backend, contributor, epoch, sequence, publicKey } = record;
  const facts = { index, file, record: { backend, contributor, epoch, sequence, publicKey } };
  const refuse = (status: DepositStatus, fingerprint = "-"): Judged => ({
    ...facts,
    action: "unknown",
    fingerprint,
    status,
  });
  if (payload.depositKey === undefined) return refuse("missing-ingest-identity");
  if (record.bundleId !== clear.bundleId) return refuse("wrong-bundle");
  if (epoch > clear.epoch) return refuse("stale-epoch");
  const allowed = clear.deposits.contributors.find(({ id }) => id === contributor);
  if (allowed === undefined) return refuse("unauthorized-contributor");
  if (!allowed.backends.includes(backend)) return refuse("unauthorized-backend");
  if (allowed.publicKey !== publicKey || !isSignedBy(record, allowed.publicKey)) return refuse("bad-signature");
  const fingerprint = fingerprintOf(record.sealed);
  let credential: PayloadBackend | undefined;
  try {
    credential = await openCredential(payload.depositKey, record, decodeToken(record.sealed) as Uint8Array);
  } catch {
    return refuse("decode-failed", fingerprint);
  }
  if (credential === undefined) return refuse("decrypt-failed");
  if (nameProblem(credential.kind) !== undefined || credential.json.length > LIMITS.credentialBytes) {
    credential.json.fill(0);
    return refuse("decode-failed", fingerprint);
  }
  const action = payload.backends.some(({ id }) => id === backend) ? "replace" : "new";
  const promoted = clear.deposits.promoted.find((floor) => floor.publicKey === publicKey && floor.backend === backend);
  if (promoted !== undefined && sequence <= promoted.sequence) {
    credential.json.fill(0);
    return { ...facts, action, fingerprint, status: "replayed" };
  }
  return { ...facts, action, fingerprint, status: "effective", credential };
}
