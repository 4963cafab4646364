import { createSecretKey, randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decryptBlob, encryptBlob, parseBlob, serializeContext } from "./ciphertext.js";

const secret = createSecretKey(randomBytes(32));
const id = randomBytes(32).toString("hex");
const none = new Map<string, string>();
const contexts = fc
  .dictionary(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), { maxKeys: 4 })
  .map((record) => new Map(Object.entries(record)));

function decrypt(blob: Uint8Array, context: ReadonlyMap<string, string> = none): Uint8Array | undefined {
  const parsed = parseBlob(blob);
  return parsed === undefined || parsed.materialId !== id ? undefined : decryptBlob(secret, parsed, context);
}

describe("ciphertext blobs", () => {
  it.for([
    [1, 152],
    [16, 167],
    [32, 184],
    [4096, 4257],
  ])("of %i bytes are %i bytes long, as those of the service", ([plain, blob]) => {
    expect(encryptBlob(secret, id, new Uint8Array(plain ?? 0), none)).toHaveLength(blob ?? 0);
  });

  it("carry the key material's id and give back the plaintext under the same context", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 4096 }), contexts, (plaintext, context) => {
        const blob = encryptBlob(secret, id, plaintext, context);
        expect(parseBlob(blob)?.materialId).toBe(id);
        expect(decrypt(blob, new Map([...context].reverse()))).toEqual(plaintext);
      }),
    );
  });

  it("do not open when any byte is another, missing or added", () => {
    const blob = encryptBlob(secret, id, Uint8Array.of(1, 2, 3), none);
    for (let i = 0; i < blob.length; i += 1) {
      const changed = Uint8Array.from(blob);
      changed[i] = (changed[i] ?? 0) ^ 1;
      expect(decrypt(changed)).toBeUndefined();
      expect(decrypt(blob.subarray(0, i))).toBeUndefined();
    }
    expect(decrypt(Uint8Array.of(...blob, 0))).toBeUndefined();
  });

  it("are never the same twice", () => {
    const once = () => Buffer.from(encryptBlob(secret, id, Uint8Array.of(1), none)).toString("hex");
    expect(once()).not.toBe(once());
  });

  it("bind contexts that differ in any way to different bytes", () => {
    fc.assert(
      fc.property(contexts, contexts, (one, other) => {
        const same = one.size === other.size && [...one].every(([key, value]) => other.get(key) === value);
        expect(Buffer.compare(serializeContext(one), serializeContext(other)) === 0).toBe(same);
      }),
    );
    expect(serializeContext(new Map([["a", "bc"]]))).not.toEqual(serializeContext(new Map([["ab", "c"]])));
    expect(serializeContext(new Map([["a", "\ud800"]]))).not.toEqual(serializeContext(new Map([["a", "\ufffd"]])));
  });

  it("are told from noise", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 6144 }), (noise) => void expect(parseBlob(noise)).toBeUndefined()),
    );
  });
});
