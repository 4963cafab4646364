import { z } from "zod";
import { BundleError } from "../errors.js";
import { LIMITS } from "../limits.js";
import { nameProblem } from "../name.js";
import { decodeToken } from "../token.js";
import { ed25519Verify } from "./ed25519.js";

const FORMAT = "basil-deposit/1";
const SIGNATURE_LABEL = "basil-bundle-deposit-v1\0";

const name = z.string().refine((value) => nameProblem(value) === undefined, "not a name");
const token = (length: number) => z.string().refine((value) => decodeToken(value, length) !== undefined, "not a token");
const counter = z.int().min(1).max(LIMITS.counter);

const recordSchema = z.strictObject({
  format: z.literal(FORMAT),
  bundleId: token(16),
  epoch: counter,
  backend: name,
  sequence: counter,
  contributor: name,
  publicKey: token(32),
  sealed: z.string().refine((value) => decodeToken(value) !== undefined, "not a token"),
  signature: token(64),
});

/** One credential for one backend, signed by who made it and sealed to the bundle. All of it but `sealed` is in clear. */
export type DepositRecord = z.output<typeof recordSchema>;
export type UnsignedDepositRecord = Omit<DepositRecord, "format" | "signature">;

/** What the sealed part is bound to: everything but the sealed part itself. */
export type DepositBinding = Omit<UnsignedDepositRecord, "sealed">;

/** What the signature covers: the label and the record without its signature, in canonical form. */
export function signedBytes(record: UnsignedDepositRecord): Uint8Array {
  return new TextEncoder().encode(SIGNATURE_LABEL + JSON.stringify({ ...bindingOf(record), sealed: record.sealed }));
}

export function bindingBytes(binding: DepositBinding): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(bindingOf(binding)));
}

/** JSON without white space, members in fixed order, and a newline. */
export function encodeDepositRecord(record: DepositRecord): Uint8Array {
  const text = JSON.stringify({ ...bindingOf(record), sealed: record.sealed, signature: record.signature });
  return new TextEncoder().encode(`${text}\n`);
}

/** @throws {@link BundleError} `NOT_A_BUNDLE`, `LIMIT`, `MALFORMED` for anything {@link encodeDepositRecord} would not have written. */
export function decodeDepositRecord(bytes: Uint8Array): DepositRecord {
  if (bytes.length > LIMITS.depositBytes) {
    throw new BundleError("LIMIT", `the deposit record is over ${LIMITS.depositBytes} bytes`, {
      field: "record",
      limit: LIMITS.depositBytes,
      actual: bytes.length,
    });
  }
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    throw new BundleError("NOT_A_BUNDLE", "not a deposit record: it is not JSON", {}, { cause });
  }
  const result = recordSchema.safeParse(value);
  if (!result.success) {
    const issue = result.error.issues[0];
    const field = issue?.path.join(".") || "record";
    throw new BundleError("MALFORMED", `deposit record: ${field}: ${issue?.message ?? "not valid"}`, { field });
  }
  if (!Buffer.from(encodeDepositRecord(result.data)).equals(bytes)) {
    throw new BundleError("MALFORMED", "the deposit record is not in canonical form", { field: "record" });
  }
  return result.data;
}

/** Whether `publicKey`, 32 bytes base64url, signed the record. */
export function isSignedBy(record: DepositRecord, publicKey: string): boolean {
  const key = decodeToken(publicKey, 32);
  const signature = decodeToken(record.signature, 64);
  return key !== undefined && signature !== undefined && ed25519Verify(key, signedBytes(record), signature);
}

function bindingOf({ bundleId, epoch, backend, sequence, contributor, publicKey }: DepositBinding): object {
  return { format: FORMAT, bundleId, epoch, backend, sequence, contributor, publicKey };
}
