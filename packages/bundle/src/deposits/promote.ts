import { type ChangeBundleOptions, type ChangeContext, type Changed, changeBundle } from "../change-bundle.js";
import type { Draft } from "../draft.js";
import { BundleError } from "../errors.js";
import { type BundleHost, localHost } from "../host.js";
import { openBundle } from "../open-bundle.js";
import { readDeposits, removeDeposits } from "./deposit-folder.js";
import { type DepositReview, type ReviewedDeposit, reviewDeposits } from "./review.js";

export interface PromoteOptions extends ChangeBundleOptions {
  /** Only these backend ids; all when empty. */
  readonly backends?: readonly string[];
  /** Only these contributor ids; all when empty. */
  readonly contributors?: readonly string[];
  /** Says what would happen and changes nothing. */
  readonly dryRun?: boolean;
  /** Also removes every record that can never become effective. */
  readonly prune?: boolean;
}

export interface Promotion {
  readonly review: readonly DepositReview[];
  /** Backend ids that were, or would be, taken over. */
  readonly promoted: readonly string[];
  /** File names of records that were, or would be, removed. */
  readonly removed: readonly string[];
}

/** Statuses that no later change of the bundle turns into `effective`. */
const SPENT = new Set([
  "malformed",
  "wrong-bundle",
  "bad-signature",
  "decrypt-failed",
  "decode-failed",
  "replayed",
  "superseded",
]);

/**
 * Takes effective deposits into the payload and removes their records, with those they replace. What a filter leaves out
 * stays valid. Interrupted after the bundle is written, a record stays behind as `replayed`.
 */
export async function promoteDeposits(path: string, options: PromoteOptions): Promise<Changed<Promotion>> {
  if (options.dryRun === true) return rehearse(path, options);
  return changeBundle(path, options, async (draft, { host, afterwards }) => {
    const { chosen, review, removed } = await takeDeposits(draft, host, path, options);
    if (chosen.length > 0) afterwards(() => removeDeposits(host, path, removed));
    else await removeDeposits(host, path, removed);
    return { review, promoted: backendsOf(chosen), removed };
  });
}

/**
 * For a change that replaces the deposit key: promotes every effective deposit, or drops all deposits. A deposit that the
 * new key could no longer open is never left unnamed.
 *
 * @throws {@link BundleError} `DEPOSITS_LEFT` for deposits that cannot be promoted, unless `discard` is set.
 */
export async function settleDeposits(
  draft: Draft,
  { host, afterwards }: ChangeContext,
  path: string,
  discard: boolean,
): Promise<Promotion> {
  if (discard) {
    const payload = { backends: [...draft.backends.values()], depositKey: draft.depositKey };
    const reviewed = await reviewDeposits(draft.clearPart(), payload, await readDeposits(host.files, path));
    for (const { credential } of reviewed) credential?.json.fill(0);
    const removed = reviewed.map(({ file }) => file);
    afterwards(() => removeDeposits(host, path, removed));
    return { review: reviewed.map(withoutCredential), promoted: [], removed };
  }
  const { chosen, review, removed } = await takeDeposits(draft, host, path, { prune: true });
  const left = review.filter(({ file }) => !removed.includes(file));
  if (left.length > 0) {
    const names = left.map(({ file, status }) => `${file} (${status})`).join(", ");
    throw new BundleError(
      "DEPOSITS_LEFT",
      `deposits that cannot be promoted would be lost with the deposit key: ${names}; nothing was written`,
      { deposits: left.map(({ file }) => file) },
    );
  }
  afterwards(() => removeDeposits(host, path, removed));
  return { review, promoted: backendsOf(chosen), removed };
}

async function takeDeposits(
  draft: Draft,
  host: BundleHost,
  path: string,
  options: Pick<PromoteOptions, "backends" | "contributors" | "prune">,
): Promise<{ chosen: readonly ReviewedDeposit[]; review: readonly DepositReview[]; removed: readonly string[] }> {
  const payload = { backends: [...draft.backends.values()], depositKey: draft.depositKey };
  const reviewed = await reviewDeposits(draft.clearPart(), payload, await readDeposits(host.files, path));
  const { chosen, removed } = plan(reviewed, options);
  for (const item of chosen) take(draft, item);
  for (const item of reviewed) if (!chosen.includes(item)) item.credential?.json.fill(0);
  return { chosen, review: reviewed.map(withoutCredential), removed };
}

/** What promoting would do; takes no lock and needs no right to write. */
async function rehearse(path: string, options: PromoteOptions): Promise<Changed<Promotion>> {
  const { unlock, acceptRollback = false, signal, host } = options;
  using opened = await openBundle(path, {
    unlock,
    acceptRollback,
    deposits: "review",
    ...(signal && { signal }),
    ...(host && { host }),
  });
  const { chosen, removed } = plan(opened.deposits, options);
  const result = { review: opened.deposits, promoted: backendsOf(chosen), removed };
  return { result, epoch: opened.epoch, written: false, untriedSlots: [] };
}

function plan<Review extends DepositReview>(
  review: readonly Review[],
  options: Pick<PromoteOptions, "backends" | "contributors" | "prune">,
): { chosen: Review[]; removed: string[] } {
  const chosen = review.filter((item) => item.status === "effective" && isWanted(item, options));
  return {
    chosen,
    removed: review.filter((item) => isSpent(item, chosen, options.prune === true)).map(({ file }) => file),
  };
}

function backendsOf(chosen: readonly DepositReview[]): string[] {
  return chosen.map(({ record }) => record?.backend ?? "");
}

/** Removes records by file name, whatever they hold; the bundle is not opened. @throws {@link BundleError} `DEPOSIT_NOT_FOUND`, `IO`. */
export async function dropDeposits(
  path: string,
  files: readonly string[],
  options: { readonly host?: BundleHost } = {},
): Promise<void> {
  await removeDeposits(options.host ?? localHost, path, files);
}

/** File names of the records beside the bundle, in the order of their index. @throws {@link BundleError} `IO`. */
export async function listDeposits(path: string, options: { readonly host?: BundleHost } = {}): Promise<string[]> {
  return (await readDeposits((options.host ?? localHost).files, path)).map(({ file }) => file);
}

function take(draft: Draft, { record, credential }: ReviewedDeposit): void {
  if (record === undefined || credential === undefined) return;
  draft.backends.get(record.backend)?.json.fill(0);
  draft.backends.set(record.backend, credential);
  const rest = draft.deposits.promoted.filter(
    ({ publicKey, backend }) => publicKey !== record.publicKey || backend !== record.backend,
  );
  const floor = { publicKey: record.publicKey, backend: record.backend, sequence: record.sequence };
  const key = (item: typeof floor) => `${item.publicKey}\n${item.backend}`;
  draft.deposits.promoted = [...rest, floor].sort((a, b) => (key(a) < key(b) ? -1 : 1));
  draft.changed = true;
}

function isWanted(
  { record }: DepositReview,
  { backends = [], contributors = [] }: Pick<PromoteOptions, "backends" | "contributors">,
): boolean {
  if (record === undefined) return false;
  if (backends.length > 0 && !backends.includes(record.backend)) return false;
  return contributors.length === 0 || contributors.includes(record.contributor);
}

/** The chosen ones, older ones of the same maker for the same backend, and with `prune` whatever can never count. */
function isSpent(item: DepositReview, chosen: readonly DepositReview[], prune: boolean): boolean {
  if (chosen.includes(item)) return true;
  if (prune && SPENT.has(item.status)) return true;
  if (item.status !== "superseded" && item.status !== "replayed") return false;
  return chosen.some(
    ({ record }) => record?.backend === item.record?.backend && record?.publicKey === item.record?.publicKey,
  );
}

function withoutCredential({ credential: _kept, ...review }: ReviewedDeposit): DepositReview {
  return review;
}
