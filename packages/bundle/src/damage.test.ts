import { createHash } from "node:crypto";
import { generateIdentity, identityToRecipient } from "age-encryption";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { ageSlot } from "./age-slot.js";
import { type ClearPart, decodeClearPart } from "./clear-part.js";
import { decodeContainer, encodeContainer, encodePrefix } from "./container.js";
import { Draft } from "./draft.js";
import { isBundleError } from "./errors.js";
import { passphraseSlot } from "./passphrase-slot.js";
import { zeroPayload } from "./payload.js";
import { unsealBundle } from "./seal.js";
import type { AnySlotProvider } from "./slot.js";
import { encodeToken } from "./token.js";
import { unlock } from "./unlock.js";

const RUNS = Number(process.env.BASIL_BUNDLE_MUTATIONS ?? 5_000);
const SCRYPT_RUNS = 200;
const utf8 = (text: string) => new TextEncoder().encode(text);

interface Sample {
  readonly providers: readonly AnySlotProvider[];
  readonly file: Uint8Array;
  /** Another bundle that the same secrets open. */
  readonly other: Uint8Array;
}

let withAge: Sample;
let withPassphrase: Sample;
beforeAll(async () => {
  const identity = await generateIdentity();
  const recipient = await identityToRecipient(identity);
  withAge = await sampleOf([
    ageSlot({ recipient, identities: utf8(identity) }),
    ageSlot({ recipient, identities: utf8(identity) }),
  ]);
  const passphrase = passphraseSlot(utf8("right"), { logN: 4 });
  withPassphrase = await sampleOf([passphrase, passphrase]);
});

async function sampleOf(providers: readonly AnySlotProvider[]): Promise<Sample> {
  const seal = async () => {
    const draft = Draft.empty(new Date(0));
    for (const provider of providers) await draft.addSlot({ provider }, new Date(0));
    draft.backends.set("kms", { id: "kms", kind: "aws-kms", json: utf8('{"region":"us-east-1"}') });
    return (await draft.seal(7)).bytes;
  };
  return { providers, file: await seal(), other: await seal() };
}

async function open(file: Uint8Array, providers: readonly AnySlotProvider[]): Promise<void> {
  const container = decodeContainer(file);
  const { masterKey } = await unlock(container, providers);
  zeroPayload(await unsealBundle(container, masterKey));
}

/** The same file with the digest an attacker would put right. */
function repaired(file: Uint8Array): Uint8Array {
  const copy = file.slice();
  if (copy.length < 32) return copy;
  copy.set(createHash("sha256").update(copy.subarray(0, -32)).digest(), copy.length - 32);
  return copy;
}

type Mutate = (sample: Sample) => Uint8Array;

const at = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const place = (fraction: number, { length }: Uint8Array) => Math.floor(fraction * length);
const bytewise: fc.Arbitrary<Mutate> = fc.oneof(
  fc.record({ where: at, bit: fc.nat(7) }).map(
    ({ where, bit }): Mutate =>
      ({ file }) => {
        const copy = file.slice();
        copy[place(where, copy)]! ^= 1 << bit;
        return copy;
      },
  ),
  at.map(
    (where): Mutate =>
      ({ file }) =>
        file.slice(0, place(where, file)),
  ),
  fc.uint8Array({ minLength: 1, maxLength: 40 }).map(
    (tail): Mutate =>
      ({ file }) =>
        Uint8Array.of(...file, ...tail),
  ),
  fc.record({ where: at, bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }) }).map(
    ({ where, bytes }): Mutate =>
      ({ file }) => {
        const start = place(where, file);
        return Uint8Array.of(...file.subarray(0, start), ...bytes, ...file.subarray(start));
      },
  ),
  fc.record({ where: at, length: fc.integer({ min: 1, max: 64 }) }).map(
    ({ where, length }): Mutate =>
      ({ file }) => {
        const start = place(where, file);
        return Uint8Array.of(...file.subarray(0, start), ...file.subarray(start + length));
      },
  ),
);
const mutation = fc.record({ mutate: bytewise, repair: fc.boolean() }).map(
  ({ mutate, repair }): Mutate =>
    (sample) => {
      const mutated = mutate(sample);
      return repair ? repaired(mutated) : mutated;
    },
);

async function refuses(sample: Sample, mutate: Mutate): Promise<void> {
  const mutated = mutate(sample);
  // Cutting the tail and putting the digest right can give the file back.
  fc.pre(!Buffer.from(mutated).equals(sample.file));
  const error = await open(mutated, sample.providers).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(isBundleError(error), `opened or crashed: ${String(error)}`).toBe(true);
}

describe("a changed bundle", () => {
  it("is refused with a coded error after any flipped bit, cut, insertion or appended byte", async () => {
    await fc.assert(
      fc.asyncProperty(mutation, (mutate) => refuses(withAge, mutate)),
      { numRuns: RUNS },
    );
  }, 600_000);

  it("is refused through a passphrase slot too", async () => {
    await fc.assert(
      fc.asyncProperty(mutation, (mutate) => refuses(withPassphrase, mutate)),
      { numRuns: SCRYPT_RUNS },
    );
  }, 600_000);

  it("is refused for every single flipped bit while its digest is what was written", () => {
    for (let bit = 0; bit < withAge.file.length * 8; bit++) {
      const copy = withAge.file.slice();
      copy[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => decodeContainer(copy), `bit ${bit}`).toThrow(expect.objectContaining({ name: "BundleError" }));
    }
  });

  /** A clear part that is valid in form and changed by somebody without the key. */
  const rewritten = (file: Uint8Array, change: (clear: ClearPart) => ClearPart): Uint8Array => {
    const container = decodeContainer(file);
    return encodeContainer({ ...container, prefix: encodePrefix(change(structuredClone(container.clear))) });
  };
  const changes: Record<string, (clear: ClearPart) => ClearPart> = {
    "a relabelled slot": (clear) => ({ ...clear, slots: clear.slots.map((slot) => ({ ...slot, label: "mine" })) }),
    "a slot taken out": (clear) => ({ ...clear, slots: clear.slots.slice(0, 1) }),
    "slots in another order": ({ slots: [first, second], ...clear }) => ({
      ...clear,
      slots: [
        { ...second!, id: first!.id },
        { ...first!, id: second!.id },
      ],
    }),
    "a higher epoch": (clear) => ({ ...clear, epoch: clear.epoch + 1 }),
    "another bundle id": (clear) => ({ ...clear, bundleId: encodeToken(new Uint8Array(16)) }),
    "a contributor put in": (clear) => ({
      ...clear,
      deposits: {
        ...clear.deposits,
        contributors: [{ id: "me", publicKey: encodeToken(new Uint8Array(32)), backends: ["kms"] }],
      },
    }),
    "another deposit recipient": (clear) => ({
      ...clear,
      deposits: { ...clear.deposits, recipient: encodeToken(new Uint8Array(32)) },
    }),
  };

  it.each(Object.keys(changes))("is refused after %s", async (name) => {
    const file = rewritten(withAge.file, changes[name] as (clear: ClearPart) => ClearPart);
    await expect(open(file, withAge.providers)).rejects.toMatchObject({ code: "AUTHENTICATION" });
  });

  it("is refused when the slots stand in an order that ids forbid", () => {
    const { clear } = decodeContainer(withAge.file);
    const text = JSON.stringify({ ...clear, slots: [...clear.slots].reverse() });
    expect(() => decodeClearPart(utf8(text))).toThrow(expect.objectContaining({ code: "MALFORMED" }));
  });

  it("is refused with the header of one bundle on the body of another", async () => {
    const ours = decodeContainer(withAge.file);
    const theirs = decodeContainer(withAge.other);
    const { prefix, clearTag } = ours;
    for (const parts of [
      { ...theirs, prefix },
      { ...theirs, prefix, clearTag },
      { ...ours, clearTag: theirs.clearTag },
    ]) {
      await expect(open(encodeContainer(parts), withAge.providers)).rejects.toMatchObject({ code: "AUTHENTICATION" });
    }
  });

  it("is refused with the slot of another bundle that the same secret opens", async () => {
    const theirs = decodeContainer(withAge.other).clear.slots;
    const file = rewritten(withAge.file, (clear) => ({ ...clear, slots: theirs }));
    await expect(open(file, withAge.providers)).rejects.toMatchObject({
      code: "AUTHENTICATION",
      details: { part: "slot" },
    });
  });

  it("is refused before any derivation when a slot asks for more scrypt work than is ever written", async () => {
    const file = rewritten(withPassphrase.file, (clear) => ({
      ...clear,
      slots: clear.slots.map((slot) => {
        const text = Buffer.from(slot.wrapped, "base64url")
          .toString("latin1")
          .replace(/^(-> scrypt \S+) 4$/m, "$1 30");
        return { ...slot, wrapped: Buffer.from(text, "latin1").toString("base64url") };
      }),
    }));
    await expect(open(file, withPassphrase.providers)).rejects.toMatchObject({
      code: "COST_TOO_HIGH",
      details: { logN: 30, limit: 18 },
    });
  });
});
