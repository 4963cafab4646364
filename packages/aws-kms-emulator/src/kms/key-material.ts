import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPair,
  type KeyObject,
  randomBytes,
} from "node:crypto";
import { promisify } from "node:util";
import { EmulatorError } from "../errors.js";
import type { KeySpec } from "./key-spec.js";

/** What a key is made of. It never leaves the emulator other than into a state file. */
export type KeyMaterial =
  | { readonly kind: "secret"; readonly key: KeyObject }
  | {
      readonly kind: "pair";
      readonly privateKey: KeyObject;
      readonly publicKey: KeyObject /** SPKI DER */;
      readonly spki: Uint8Array;
    };

/** A PKCS #8 private key (PEM text, or DER as bytes or base64), or 32 bytes (raw or base64) for symmetric and HMAC keys. */
export type MaterialInput = Uint8Array | string;

const generate = promisify(generateKeyPair);
const curves = { ECC_NIST_P256: "prime256v1", ECC_NIST_P384: "secp384r1", ECC_NIST_P521: "secp521r1" } as const;

function pair(privateKey: KeyObject): KeyMaterial {
  const publicKey = createPublicKey(privateKey);
  return {
    kind: "pair",
    privateKey,
    publicKey,
    spki: new Uint8Array(publicKey.export({ type: "spki", format: "der" })),
  };
}

export async function generateMaterial(spec: KeySpec): Promise<KeyMaterial> {
  switch (spec) {
    case "SYMMETRIC_DEFAULT":
    case "HMAC_256":
      return { kind: "secret", key: createSecretKey(randomBytes(32)) };
    case "RSA_2048":
      return pair((await generate("rsa", { modulusLength: 2048, publicExponent: 65_537 })).privateKey);
    case "ECC_NIST_EDWARDS25519":
      return pair((await generate("ed25519")).privateKey);
    default:
      return pair((await generate("ec", { namedCurve: curves[spec] })).privateKey);
  }
}

function specOf(key: KeyObject): KeySpec | undefined {
  if (key.asymmetricKeyType === "ed25519") return "ECC_NIST_EDWARDS25519";
  const { namedCurve, modulusLength } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === "rsa") return modulusLength === 2048 ? "RSA_2048" : undefined;
  return (Object.keys(curves) as (keyof typeof curves)[]).find((spec) => curves[spec] === namedCurve);
}

/**
 * Takes given material in.
 *
 * @throws {@link EmulatorError} `OPTION_INVALID` when it is not a key of `spec`; the message never holds the material.
 */
export function importMaterial(spec: KeySpec, input: MaterialInput, path: string): KeyMaterial {
  const invalid = (allowed: string, cause?: unknown) =>
    new EmulatorError("OPTION_INVALID", `${path}: not ${allowed}`, { path }, { cause });
  if (spec === "SYMMETRIC_DEFAULT" || spec === "HMAC_256") {
    const bytes = typeof input === "string" ? new Uint8Array(Buffer.from(input, "base64")) : Uint8Array.from(input);
    if (bytes.length !== 32) throw invalid(`32 bytes, as ${spec} needs`);
    return { kind: "secret", key: createSecretKey(bytes) };
  }
  let key: KeyObject;
  try {
    key =
      typeof input === "string" && input.includes("-----BEGIN")
        ? createPrivateKey(input)
        : createPrivateKey({
            key: typeof input === "string" ? Buffer.from(input, "base64") : Buffer.from(input),
            format: "der",
            type: "pkcs8",
          });
  } catch (cause) {
    throw invalid("a PKCS #8 private key in PEM or DER", cause);
  }
  if (specOf(key) !== spec) throw invalid(`a private key of spec ${spec}`);
  return pair(key);
}

/** Base64: the 32 bytes, or PKCS #8 DER. The reverse of {@link importMaterial}. */
export function exportMaterial(material: KeyMaterial): string {
  const bytes =
    material.kind === "secret" ? material.key.export() : material.privateKey.export({ type: "pkcs8", format: "der" });
  return Buffer.from(bytes).toString("base64");
}
