import { z } from "zod";
import { BundleError } from "./errors.js";
import { LIMITS } from "./limits.js";
import { isSortedSet, nameProblem } from "./name.js";
import { decodeToken } from "./token.js";

const name = z.string().refine((value) => nameProblem(value) === undefined, "not a name");
const counter = z.int().min(0).max(LIMITS.counter);
const instant = z.iso.datetime({ precision: 0 });
const token = (length: number) => z.string().refine((value) => decodeToken(value, length) !== undefined, "not a token");

const slotSchema = z.strictObject({
  id: z.int().min(0).max(0xffffffff),
  method: name,
  label: name,
  createdAt: instant,
  parameters: z.array(z.tuple([name, z.string().max(4096)])).max(16),
  /** The age file, base64url. */
  wrapped: z.string().refine((value) => {
    const bytes = decodeToken(value);
    return bytes !== undefined && bytes.length > 0 && bytes.length <= LIMITS.slotBytes;
  }, "not an age file"),
});

const contributorSchema = z.strictObject({
  id: name,
  publicKey: token(32),
  backends: z.array(name).min(1).max(LIMITS.backends),
});

const promotedSchema = z.strictObject({ publicKey: token(32), backend: name, sequence: counter });

const clearPartSchema = z.strictObject({
  bundleId: token(16),
  createdAt: instant,
  epoch: counter.min(1),
  slots: z.array(slotSchema).min(1).max(LIMITS.slots),
  deposits: z.strictObject({
    recipient: token(32).nullable(),
    contributors: z.array(contributorSchema).max(LIMITS.contributors),
    promoted: z.array(promotedSchema).max(LIMITS.contributors * LIMITS.backends),
  }),
});

/** What is readable without unlocking. Nothing of it is secret, all of it is authenticated. */
export type ClearPart = z.output<typeof clearPartSchema>;
export type ClearSlot = ClearPart["slots"][number];

/** JSON without white space, members in the order of the schema, sets sorted: one document, one spelling. */
export function encodeClearPart(part: ClearPart): Uint8Array {
  const { slots, deposits } = checked(part);
  return new TextEncoder().encode(
    JSON.stringify({
      bundleId: part.bundleId,
      createdAt: part.createdAt,
      epoch: part.epoch,
      slots: slots.map(({ id, method, label, createdAt, parameters, wrapped }) => ({
        id,
        method,
        label,
        createdAt,
        parameters,
        wrapped,
      })),
      deposits: {
        recipient: deposits.recipient,
        contributors: deposits.contributors.map(({ id, publicKey, backends }) => ({ id, publicKey, backends })),
        promoted: deposits.promoted.map(({ publicKey, backend, sequence }) => ({ publicKey, backend, sequence })),
      },
    }),
  );
}

/** @throws {@link BundleError} `MALFORMED` for anything that {@link encodeClearPart} would not have written. */
export function decodeClearPart(bytes: Uint8Array): ClearPart {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    throw new BundleError("MALFORMED", "the clear part is not JSON", { field: "clear part" }, { cause });
  }
  const part = checked(value);
  if (!Buffer.from(encodeClearPart(part)).equals(bytes)) {
    throw new BundleError("MALFORMED", "the clear part is not in canonical form", { field: "clear part" });
  }
  return part;
}

function checked(value: unknown): ClearPart {
  const result = clearPartSchema.safeParse(value);
  if (!result.success) {
    const issue = result.error.issues[0];
    const field = issue?.path.join(".") || "clear part";
    throw new BundleError("MALFORMED", `${field}: ${issue?.message ?? "not valid"}`, { field });
  }
  const part = result.data;
  const refuse = (field: string, problem: string): never => {
    throw new BundleError("MALFORMED", `${field}: ${problem}`, { field });
  };
  part.slots.forEach((slot, index) => {
    const before = part.slots[index - 1];
    if (before !== undefined && before.id >= slot.id) refuse(`slots.${index}.id`, "slot ids do not rise");
    if (!isSortedSet(slot.parameters.map(([key]) => key))) refuse(`slots.${index}.parameters`, "not a sorted set");
  });
  const { contributors, promoted } = part.deposits;
  if (!isSortedSet(contributors.map(({ id }) => id))) refuse("deposits.contributors", "not a sorted set");
  contributors.forEach(({ backends }, index) => {
    if (!isSortedSet(backends)) refuse(`deposits.contributors.${index}.backends`, "not a sorted set");
  });
  if (!isSortedSet(promoted.map(({ publicKey, backend }) => `${publicKey}\n${backend}`))) {
    refuse("deposits.promoted", "not a sorted set");
  }
  return part;
}
