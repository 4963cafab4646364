import { readFileSync } from "node:fs";
import { ed25519 } from "@noble/curves/ed25519.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ECDSA_KEY_TYPES, ecdsaCurve, NOBLE_CURVES } from "./curves.js";
import { isBackendError } from "./errors.js";
import { sshToSpki } from "./public-key-ssh.js";
import { rawToSpki } from "./spki.js";
import { decodeSshsig, encodeSshsig, SSHSIG_HASHES, sshsigSignedData, verifySshsig } from "./sshsig.js";

interface Vectors {
  readonly message: string;
  readonly namespace: string;
  readonly valid: readonly {
    readonly keyType: "ed25519" | (typeof ECDSA_KEY_TYPES)[number];
    readonly hash: "sha256" | "sha512";
    readonly publicKey: string;
    readonly signature: string;
  }[];
  readonly rsa: { readonly publicKey: string; readonly signature: string };
}
const vectors = JSON.parse(
  readFileSync(new URL("../../../vectors/sshsig/ssh-keygen.json", import.meta.url), "utf8"),
) as Vectors;
const message = new TextEncoder().encode(vectors.message);
const { namespace } = vectors;
const first = vectors.valid[0] as Vectors["valid"][number];
const refused = (code: string) => expect.objectContaining({ name: "BackendError", code });

const secretKey = Uint8Array.from({ length: 32 }, (_, at) => at + 1);
const SIGNERS = [
  {
    keyType: "ed25519" as const,
    publicKey: rawToSpki(ed25519.getPublicKey(secretKey), "ed25519"),
    sign: (data: Uint8Array) => ed25519.sign(data, secretKey),
  },
  ...ECDSA_KEY_TYPES.map((keyType) => {
    const curve = NOBLE_CURVES[keyType];
    const secret = Uint8Array.from({ length: ecdsaCurve(keyType).bytes }, (_, at) => (at === 0 ? 0 : at));
    return {
      keyType,
      publicKey: rawToSpki(curve.getPublicKey(secret, false), keyType),
      sign: (data: Uint8Array) => curve.sign(data, secret, { format: "compact" }),
    };
  }),
];
const namespaces = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 }).filter((text) => !/\p{Cc}/u.test(text));
const hashes = fc.constantFrom(...SSHSIG_HASHES);

describe.each(vectors.valid)("SSH signature of ssh-keygen, $keyType, $hash", (vector) => {
  const publicKey = sshToSpki(vector.publicKey);

  it("verifies, for its message, namespace and key alone", () => {
    const { signature } = vector;
    expect(verifySshsig({ signature, message, namespace, publicKey })).toBe(true);
    expect(verifySshsig({ signature, message: new Uint8Array(), namespace, publicKey })).toBe(false);
    expect(verifySshsig({ signature, message, namespace: "git", publicKey })).toBe(false);
    const stranger = SIGNERS.find(({ keyType }) => keyType === vector.keyType)?.publicKey as Uint8Array;
    expect(verifySshsig({ signature, message, namespace, publicKey: stranger })).toBe(false);
  });

  it("is read into its parts, and written again byte for byte", () => {
    const parts = decodeSshsig(vector.signature);
    expect(parts).toMatchObject({ keyType: vector.keyType, hash: vector.hash, namespace, publicKey });
    expect(encodeSshsig(parts)).toBe(vector.signature);
  });
});

describe.each(SIGNERS)("encodeSshsig and decodeSshsig, $keyType", ({ keyType, publicKey, sign }) => {
  it("are inverse for every context, and what they carry verifies", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), namespaces, hashes, (text, namespace, hash) => {
        const signature = sign(sshsigSignedData(text, { namespace, hash }));
        const armored = encodeSshsig({ keyType, publicKey, signature, namespace, hash });
        expect(decodeSshsig(armored)).toEqual({ keyType, publicKey, signature, namespace, hash });
        expect(verifySshsig({ signature: armored, message: text, namespace, publicKey })).toBe(true);
      }),
      { numRuns: 8 },
    );
  });

  it("carry every r and s of the width, verifying or not", () => {
    const width = keyType === "ed25519" ? 64 : 2 * ecdsaCurve(keyType).bytes;
    fc.assert(
      fc.property(fc.uint8Array({ minLength: width, maxLength: width }), fc.nat(width), (signature, zeros) => {
        signature.fill(0, 0, zeros);
        expect(decodeSshsig(encodeSshsig({ keyType, publicKey, signature, namespace })).signature).toEqual(signature);
      }),
    );
  });

  it("take no signature of another width", () => {
    const signature = new Uint8Array(63);
    expect(() => encodeSshsig({ keyType, publicKey, signature, namespace })).toThrow(refused("SIGNATURE_MALFORMED"));
  });
});

describe("decodeSshsig", () => {
  const bytes = Buffer.from(first.signature.split("\n").slice(1, -2).join(""), "base64");
  const armored = (content: Uint8Array): string =>
    `-----BEGIN SSH SIGNATURE-----\n${Buffer.from(content).toString("base64")}\n-----END SSH SIGNATURE-----\n`;
  const changed = (at: number, value: number): string => armored(Buffer.from(bytes).fill(value, at, at + 1));
  // string public key (104), string namespace (4), string reserved, …
  const reserved = 6 + 4 + (4 + 104) + (4 + 4);

  it.each([
    ["an empty text", ""],
    ["another label", first.signature.replaceAll("SSH", "PGP")],
    ["two blocks", first.signature.repeat(2)],
    ["an empty block", "-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----"],
    ["a wrong magic byte", changed(0, 0x73)],
    ["version 0", changed(9, 0)],
    ["version 2", changed(9, 2)],
    ["a byte behind it", armored(Buffer.concat([bytes, Uint8Array.of(0)]))],
    ["a cut signature", armored(bytes.subarray(0, -1))],
    ["a cut field length", armored(bytes.subarray(0, reserved + 2))],
    ["a length past the end", changed(reserved, 0xff)],
    ["a control character in the namespace", changed(reserved - 1, 0x0a)],
    ["a namespace that is not UTF-8", changed(reserved - 1, 0xff)],
    [
      "a reserved field that is not empty",
      armored(Buffer.concat([bytes.subarray(0, reserved), Uint8Array.of(0, 0, 0, 1, 7), bytes.subarray(reserved + 4)])),
    ],
    ["another hash", changed(reserved + 4 + 4 + 5, 0x33)],
  ])("refuses %s", (_, text) => {
    expect(() => decodeSshsig(text)).toThrow(refused("SIGNATURE_MALFORMED"));
  });

  it("refuses RSA by its type", () => {
    expect(() => decodeSshsig(vectors.rsa.signature)).toThrow(refused("UNSUPPORTED_ALGORITHM"));
    expect(() => sshToSpki(vectors.rsa.publicKey)).toThrow(refused("UNSUPPORTED_ALGORITHM"));
  });

  it("reads any bytes and any text, or refuses them by a code of its own", () => {
    const codes = ["SIGNATURE_MALFORMED", "PUBLIC_KEY_MALFORMED", "UNSUPPORTED_ALGORITHM"];
    const attempt = (text: string): void => {
      try {
        decodeSshsig(text);
      } catch (error) {
        expect(isBackendError(error) && codes.includes(error.code)).toBe(true);
      }
    };
    fc.assert(fc.property(fc.string(), (text) => attempt(text)));
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (content) => attempt(armored(content))));
    const mutation = fc.tuple(fc.nat(bytes.length - 1), fc.nat(255));
    fc.assert(fc.property(mutation, ([at, value]) => attempt(changed(at, value))));
  });

  it("gives no mutation of a signature that verifies", () => {
    const publicKey = sshToSpki(first.publicKey);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, difference) => {
        const signature = changed(at, (bytes[at] as number) ^ difference);
        try {
          expect(verifySshsig({ signature, message, namespace, publicKey })).toBe(false);
        } catch (error) {
          expect(isBackendError(error)).toBe(true);
        }
      }),
    );
  });
});

describe("a context of an SSH signature", () => {
  it.each([
    ["an empty namespace", { namespace: "" }],
    ["a line break in the namespace", { namespace: "a\nb" }],
    ["half a surrogate pair", { namespace: "\ud800" }],
    ["another hash", { namespace: "git", hash: "md5" as "sha256" }],
  ])("refuses %s", (_, context) => {
    expect(() => sshsigSignedData(message, context)).toThrow(TypeError);
  });

  it("makes what is signed short, however long the message", () => {
    expect(sshsigSignedData(new Uint8Array(1_000_000), { namespace: "git" })).toHaveLength(6 + 7 + 4 + 10 + 68);
  });
});
