import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeDepositRecord, encodeDepositRecord } from "./deposits/deposit-record.js";
import { makeDeposit } from "./deposits/make-deposit.js";
import { isBundleError } from "./errors.js";
import { decodePayload, encodePayload } from "./payload.js";
import { decodeToken, encodeToken } from "./token.js";

const name = fc.string({ minLength: 1, maxLength: 20, unit: "grapheme-ascii" });

/** Runs a parser on bytes that may be anything; it answers, or throws a coded error. */
function answers(parse: (bytes: Uint8Array) => unknown, bytes: Uint8Array): unknown {
  try {
    return parse(bytes);
  } catch (error) {
    expect(isBundleError(error), String(error)).toBe(true);
    return undefined;
  }
}

/** Some bytes of a good file, with a few of them changed. */
const near = (good: Uint8Array) =>
  fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }).map((edits) => {
    const copy = good.slice();
    for (const [where, value] of edits) copy[where] = value;
    return copy;
  });

describe("decodePayload", () => {
  it("gives back what was encoded", () => {
    const backend = fc.record({ id: name, kind: name, json: fc.uint8Array({ maxLength: 50 }) });
    const depositKey = fc.option(fc.uint8Array({ minLength: 32, maxLength: 32 }), { nil: undefined });
    const payload = fc.record({
      backends: fc.uniqueArray(backend, { selector: ({ id }) => id, maxLength: 5 }),
      depositKey,
    });
    fc.assert(
      fc.property(payload, ({ backends, depositKey: key }) => {
        const sorted = [...backends].sort((a, b) => (a.id < b.id ? -1 : 1));
        expect(decodePayload(encodePayload({ backends: sorted, depositKey: key }))).toEqual({
          backends: sorted,
          depositKey: key,
        });
      }),
    );
  });

  it("answers any bytes with a payload or a coded error, and only its own encoding with a payload", () => {
    const good = encodePayload({
      backends: [{ id: "kms", kind: "aws-kms", json: Uint8Array.of(0x7b, 0x7d) }],
      depositKey: undefined,
    });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), near(good)), (bytes) => {
        const payload = answers(decodePayload, bytes) as ReturnType<typeof decodePayload> | undefined;
        if (payload !== undefined) expect(encodePayload(payload)).toEqual(bytes);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("decodeDepositRecord", () => {
  it("answers any bytes with a record or a coded error, and only its own encoding with a record", async () => {
    const recipient = "hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo";
    const options = { recipient, seed: new Uint8Array(randomBytes(32)), sequence: 1 };
    const target = { bundleId: encodeToken(new Uint8Array(16)), epoch: 1 };
    const { bytes: good, record } = await makeDeposit(target, { id: "kms", kind: "k", credential: {} }, options);
    expect(decodeDepositRecord(good)).toEqual(record);
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), near(good)), (bytes) => {
        const found = answers(decodeDepositRecord, bytes) as typeof record | undefined;
        if (found !== undefined) expect(encodeDepositRecord(found)).toEqual(bytes);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("decodeToken", () => {
  it("takes one spelling of any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(decodeToken(encodeToken(bytes))).toEqual(bytes);
      }),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        const bytes = decodeToken(text);
        if (bytes !== undefined) expect(encodeToken(bytes)).toBe(text);
      }),
    );
  });
});
