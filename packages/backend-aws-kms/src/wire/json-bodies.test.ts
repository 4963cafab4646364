import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeBody, encodeBody, type LeanAction } from "./json-bodies.js";

const body = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const ACTIONS: readonly LeanAction[] = ["Sign", "Verify", "Encrypt", "Decrypt", "GetPublicKey", "DescribeKey"];

describe("encodeBody", () => {
  it("writes bytes as base64, and everything else as it is", () => {
    const input = { KeyId: "alias/\u{1f511}", Message: new Uint8Array([0xfb, 0xff]), EncryptionContext: { a: "b" } };
    const text = '{"KeyId":"alias/\u{1f511}","Message":"+/8=","EncryptionContext":{"a":"b"}}';
    expect(encodeBody(input).toString()).toBe(text);
  });

  it("takes a view's own bytes, and not those of the memory behind it", () => {
    const view = new Uint8Array([1, 2, 3, 4]).subarray(1, 3);
    expect(JSON.parse(encodeBody({ view }).toString())).toEqual({ view: "AgM=" });
  });
});

describe("decodeBody", () => {
  it("reads back any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const answer = body({ KeyId: "k", Signature: Buffer.from(bytes).toString("base64") });
        expect(decodeBody("Sign", answer)).toEqual({ KeyId: "k", Signature: bytes });
      }),
    );
  });

  it("decodes a plaintext into memory of its own, so that zeroing it leaves no copy in Node's buffer pool", () => {
    const { Plaintext } = decodeBody("Decrypt", body({ KeyId: "k", Plaintext: "c2VjcmV0" }));
    expect(Plaintext?.buffer.byteLength).toBe(6);
    const secret = Buffer.alloc(6, "secret");
    expect(Buffer.from(Buffer.from("x").buffer).includes(secret)).toBe(false);
  });

  it("reads times, which are seconds with a fraction", () => {
    const KeyMetadata = { Arn: "arn", CreationDate: 1.5, MultiRegion: false };
    expect(decodeBody("DescribeKey", body({ KeyMetadata })).KeyMetadata).toMatchObject({
      Arn: "arn",
      CreationDate: new Date(1500),
      MultiRegion: false,
    });
  });

  it("drops members of another type, and reads no others", () => {
    expect(decodeBody("Verify", body({ KeyId: 1, SignatureValid: "true", other: 1 }))).toEqual({});
  });

  it("fails with a SyntaxError at most, whatever the body is, and quotes nothing of it", () => {
    const anything = fc.oneof(
      fc.uint8Array(),
      fc.json().map((text) => new TextEncoder().encode(text)),
      fc.record({ Plaintext: fc.string(), KeyMetadata: fc.jsonValue() }).map(body),
    );
    fc.assert(
      fc.property(fc.constantFrom(...ACTIONS), anything, (action, bytes) => {
        try {
          expect(decodeBody(action, bytes)).toBeTypeOf("object");
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError);
          expect(["the answer is not JSON", "a member of the answer is not base64"]).toContain(
            (error as Error).message,
          );
        }
      }),
    );
  });
});
