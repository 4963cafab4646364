import { readBundleFile } from "../bundle-file.js";
import { type CredentialInput, encodeCredential } from "../credential.js";
import { BundleError } from "../errors.js";
import { type BundleHost, localHost } from "../host.js";
import { requireName } from "../name.js";
import { decodeToken, encodeToken } from "../token.js";
import { readDeposits, storeDeposit } from "./deposit-folder.js";
import {
  type DepositRecord,
  decodeDepositRecord,
  encodeDepositRecord,
  isSignedBy,
  signedBytes,
} from "./deposit-record.js";
import { ed25519PublicKey, ed25519Sign } from "./ed25519.js";
import { fingerprintOf } from "./review.js";
import { sealCredential } from "./sealed-credential.js";

export interface DepositOptions {
  /** The deposit recipient of the bundle, 43 characters base64url. */
  readonly recipient: string;
  /** The contributor's Ed25519 seed, 32 bytes. Held, not copied. */
  readonly seed: Uint8Array;
  /** Must equal the id the contributor is allowed under; the public key token when left out. */
  readonly contributorId?: string;
  /** One above the contributor's highest for this backend when left out. */
  readonly sequence?: number;
  /** @internal */
  readonly host?: BundleHost;
}

/** Which bundle a record is for; its clear part says it, or somebody who has it. */
export interface DepositTarget {
  /** 22 characters base64url. */
  readonly bundleId: string;
  /** The epoch the bundle has reached. */
  readonly epoch: number;
}

export interface MadeDeposit {
  readonly record: DepositRecord;
  /** The content of the file: one line of JSON and its newline. */
  readonly bytes: Uint8Array;
  /** As `promote` shows it. */
  readonly fingerprint: string;
}

/** Makes a record without the bundle at hand, to be moved into `BUNDLE.deposits/`. @throws {@link BundleError} `KEY_INVALID`, `CREDENTIAL_INVALID`, `MALFORMED`, `LIMIT`. */
export async function makeDeposit(
  target: DepositTarget,
  input: CredentialInput,
  options: DepositOptions & { readonly sequence: number },
): Promise<MadeDeposit> {
  const recipient = decodeToken(options.recipient, 32);
  if (recipient === undefined) {
    throw new BundleError("KEY_INVALID", "the recipient is not 43 characters base64url", { field: "recipient" });
  }
  const publicKey = publicTokenOf(options.seed);
  const contributor = options.contributorId ?? publicKey;
  requireName("contributor id", contributor);
  const backend = encodeCredential(input);
  try {
    const binding = { ...target, backend: backend.id, sequence: options.sequence, contributor, publicKey };
    const sealed = encodeToken(await sealCredential(recipient, binding, backend));
    const signature = encodeToken(ed25519Sign(options.seed, signedBytes({ ...binding, sealed })));
    const bytes = encodeDepositRecord({ format: "basil-deposit/1", ...binding, sealed, signature });
    return { record: decodeDepositRecord(bytes), bytes, fingerprint: fingerprintOf(sealed) };
  } finally {
    backend.json.fill(0);
  }
}

/** Makes a record for the bundle at `path` and puts it beside it; the bundle itself is only read, its clear part at that. */
export async function deposit(
  path: string,
  input: CredentialInput,
  options: DepositOptions,
): Promise<MadeDeposit & { readonly file: string }> {
  const { host = localHost } = options;
  for (;;) {
    const target = await depositTarget(path, options);
    const sequence = options.sequence ?? (await nextSequence(path, publicTokenOf(options.seed), input.id, host));
    const made = await makeDeposit(target, input, { ...options, sequence });
    try {
      return { ...made, file: await storeDeposit(host, path, made.record) };
    } catch (error) {
      // Somebody took the sequence in between; take the next unless it was asked for.
      if (options.sequence === undefined && error instanceof BundleError && error.code === "EXISTS") continue;
      throw error;
    }
  }
}

/** What a record for the bundle at `path` is bound to. @throws {@link BundleError} As reading a bundle does, `NO_DEPOSIT_KEY`, `KEY_INVALID` when the recipient is another bundle's. */
export async function depositTarget(
  path: string,
  options: Pick<DepositOptions, "recipient" | "host">,
): Promise<DepositTarget> {
  const { host = localHost } = options;
  const { container } = await readBundleFile(host.files, path, { followLinks: true, uid: undefined });
  const { bundleId, epoch, deposits } = container.clear;
  if (deposits.recipient === null) throw new BundleError("NO_DEPOSIT_KEY", `${path} has no deposit key`, {});
  if (deposits.recipient !== options.recipient) {
    throw new BundleError(
      "KEY_INVALID",
      `the recipient ${options.recipient.slice(0, 43)} is not the deposit key of ${path}, which is ${deposits.recipient}: it belongs to another bundle or to a time before 'rekey'`,
      { field: "recipient" },
    );
  }
  return { bundleId, epoch };
}

/** One above what was promoted and above every record beside the bundle that the key really signed. */
export async function nextSequence(
  path: string,
  publicKey: string,
  backend: string,
  host: BundleHost = localHost,
): Promise<number> {
  const { container } = await readBundleFile(host.files, path, { followLinks: true, uid: undefined });
  const { bundleId, deposits } = container.clear;
  let highest =
    deposits.promoted.find((floor) => floor.publicKey === publicKey && floor.backend === backend)?.sequence ?? 0;
  for (const { bytes } of await readDeposits(host.files, path)) {
    const record = bytes && readable(bytes);
    if (record?.backend !== backend || record.publicKey !== publicKey || record.bundleId !== bundleId) continue;
    if (isSignedBy(record, publicKey)) highest = Math.max(highest, record.sequence);
  }
  return highest + 1;
}

/** The public key token of a seed, 43 characters base64url. @throws {@link BundleError} `KEY_INVALID` unless it is 32 bytes. */
export function publicTokenOf(seed: Uint8Array): string {
  if (seed.length !== 32)
    throw new BundleError("KEY_INVALID", `the identity is ${seed.length} bytes, not 32`, { field: "identity" });
  return encodeToken(ed25519PublicKey(seed));
}

function readable(bytes: Uint8Array): DepositRecord | undefined {
  try {
    return decodeDepositRecord(bytes);
  } catch {
    return undefined;
  }
}
