import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ecdsaDerToRaw, ecdsaRawToDer } from "./ecdsa-signature.js";
import { isBackendError } from "./errors.js";
import { spkiKeyType } from "./spki.js";
import { verifySignature } from "./verify-signature.js";

// vectors/wycheproof/README.md says where the files come from and how their flags are read here.

interface Vector {
  readonly tcId: number;
  readonly comment: string;
  readonly flags: readonly string[];
  readonly msg: string;
  readonly sig: string;
  readonly result: "valid" | "invalid" | "acceptable";
}

interface VectorFile {
  readonly numberOfTests: number;
  readonly testGroups: readonly { readonly publicKeyDer: string; readonly tests: readonly Vector[] }[];
}

const FILES = [
  { file: "ecdsa_secp256r1_sha256_test.json", keyType: "ecdsa-p256", encoding: "der" },
  { file: "ecdsa_secp256r1_sha256_p1363_test.json", keyType: "ecdsa-p256", encoding: "raw" },
  { file: "ecdsa_secp384r1_sha384_test.json", keyType: "ecdsa-p384", encoding: "der" },
  { file: "ecdsa_secp384r1_sha384_p1363_test.json", keyType: "ecdsa-p384", encoding: "raw" },
  { file: "ecdsa_secp521r1_sha512_test.json", keyType: "ecdsa-p521", encoding: "der" },
  { file: "ecdsa_secp521r1_sha512_p1363_test.json", keyType: "ecdsa-p521", encoding: "raw" },
  { file: "ed25519_test.json", keyType: "ed25519", encoding: "ed25519" },
] as const;

const WIDTHS = { "ecdsa-p256": 64, "ecdsa-p384": 96, "ecdsa-p521": 132 } as const;

/** Flags of DER vectors whose signature is not DER: the conversion itself must refuse them. */
const NOT_DER = new Set(["BerEncodedSignature", "InvalidEncoding", "InvalidTypesInSignature", "MissingZero"]);

describe.each(FILES)("Wycheproof $file", ({ file, keyType, encoding }) => {
  const text = readFileSync(new URL(`../../../vectors/wycheproof/${file}`, import.meta.url), "utf8");
  const { testGroups, numberOfTests } = JSON.parse(text) as VectorFile;
  const cases = testGroups.flatMap(({ publicKeyDer, tests }) =>
    tests.map((vector) => ({ ...vector, publicKey: bytes(publicKeyDer) })),
  );

  it("is whole, and gives a verdict on every signature", () => {
    expect(cases).toHaveLength(numberOfTests);
    expect(cases.filter(({ result }) => result !== "valid" && result !== "invalid")).toEqual([]);
  });

  it.each(cases)("$tcId $comment: $result", ({ publicKey, msg, sig, result, flags }) => {
    expect(spkiKeyType(publicKey)).toBe(keyType);
    const message = bytes(msg);
    const signature = bytes(sig);
    const raw = encoding === "der" ? converted(() => ecdsaDerToRaw(signature, keyType)) : signature;
    if (encoding === "der" && flags.some((flag) => NOT_DER.has(flag))) expect(raw).toBeUndefined();
    const valid = raw !== undefined && verifySignature({ keyType, publicKey, message, signature: raw });
    expect(valid).toBe(result === "valid");
    if (encoding === "der" && raw !== undefined) expect(ecdsaRawToDer(raw, keyType)).toEqual(signature);
    if (encoding === "raw") expectRoundTrip(signature, keyType);
  });
});

/** Undefined when the conversion refuses the signature as malformed; any other failure is the test's. */
function converted(convert: () => Uint8Array): Uint8Array | undefined {
  try {
    return convert();
  } catch (error) {
    if (isBackendError(error) && error.code === "SIGNATURE_MALFORMED") return undefined;
    throw error;
  }
}

/** A signature of the right width survives the way to DER and back, whatever its values; any other is refused. */
function expectRoundTrip(raw: Uint8Array, keyType: keyof typeof WIDTHS): void {
  const der = converted(() => ecdsaRawToDer(raw, keyType));
  if (raw.length === WIDTHS[keyType]) expect(der && ecdsaDerToRaw(der, keyType)).toEqual(raw);
  else expect(der).toBeUndefined();
}

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, "hex"));
}
