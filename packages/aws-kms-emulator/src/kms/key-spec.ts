/** Key specs this emulator makes keys of. */
export const keySpecs = [
  "SYMMETRIC_DEFAULT",
  "ECC_NIST_P256",
  "ECC_NIST_P384",
  "ECC_NIST_P521",
  "ECC_NIST_EDWARDS25519",
  "RSA_2048",
  "HMAC_256",
] as const;
export type KeySpec = (typeof keySpecs)[number];

export const keyUsages = [
  "SIGN_VERIFY",
  "ENCRYPT_DECRYPT",
  "GENERATE_VERIFY_MAC",
  "KEY_AGREEMENT",
  "ENCAPSULATE_DECAPSULATE",
] as const;
export type KeyUsage = (typeof keyUsages)[number];

/** Every value of the model, in the order the service prints them. */
export const modelledKeySpecs = [
  "RSA_2048",
  "RSA_3072",
  "RSA_4096",
  "ECC_NIST_P256",
  "ECC_NIST_P384",
  "ECC_NIST_P521",
  "ECC_SECG_P256K1",
  "SYMMETRIC_DEFAULT",
  "HMAC_224",
  "HMAC_256",
  "HMAC_384",
  "HMAC_512",
  "SM2",
  "ML_DSA_44",
  "ML_DSA_65",
  "ML_DSA_87",
  "ML_KEM_512",
  "ML_KEM_768",
  "ML_KEM_1024",
  "ECC_NIST_EDWARDS25519",
] as const;
export const customerMasterKeySpecs = modelledKeySpecs.filter(
  (spec) => !spec.startsWith("ML_") && spec !== "ECC_NIST_EDWARDS25519",
);

/** Specs of the pairs that GenerateDataKeyPair makes, in the order the service prints them. */
export const dataKeyPairSpecs = [
  "RSA_2048",
  "RSA_3072",
  "RSA_4096",
  "ECC_NIST_P256",
  "ECC_NIST_P384",
  "ECC_NIST_P521",
  "ECC_SECG_P256K1",
  "SM2",
  "ECC_NIST_EDWARDS25519",
  "ML_KEM_512",
  "ML_KEM_768",
  "ML_KEM_1024",
] as const;

export const signingAlgorithms = [
  "RSASSA_PSS_SHA_256",
  "RSASSA_PSS_SHA_384",
  "RSASSA_PSS_SHA_512",
  "RSASSA_PKCS1_V1_5_SHA_256",
  "RSASSA_PKCS1_V1_5_SHA_384",
  "RSASSA_PKCS1_V1_5_SHA_512",
  "ECDSA_SHA_256",
  "ECDSA_SHA_384",
  "ECDSA_SHA_512",
  "ED25519_SHA_512",
  "ED25519_PH_SHA_512",
  "SM2DSA",
  "ML_DSA_SHAKE_256",
] as const;
export type SigningAlgorithm = (typeof signingAlgorithms)[number];

export const encryptionAlgorithms = ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "SM2PKE", "SYMMETRIC_DEFAULT"] as const;
export type EncryptionAlgorithm = (typeof encryptionAlgorithms)[number];

const rsaSigning = [
  "RSASSA_PKCS1_V1_5_SHA_256",
  "RSASSA_PKCS1_V1_5_SHA_384",
  "RSASSA_PKCS1_V1_5_SHA_512",
  "RSASSA_PSS_SHA_256",
  "RSASSA_PSS_SHA_384",
  "RSASSA_PSS_SHA_512",
] as const;

type AlgorithmsByUsage = Partial<Record<KeyUsage, readonly string[]>>;

/** Legal usages of each spec with the algorithms in the order of the metadata (KMS Developer Guide, "Key spec reference"). */
const algorithms: Record<KeySpec, AlgorithmsByUsage> = {
  SYMMETRIC_DEFAULT: { ENCRYPT_DECRYPT: ["SYMMETRIC_DEFAULT"] },
  ECC_NIST_P256: { SIGN_VERIFY: ["ECDSA_SHA_256"], KEY_AGREEMENT: ["ECDH"] },
  ECC_NIST_P384: { SIGN_VERIFY: ["ECDSA_SHA_384"], KEY_AGREEMENT: ["ECDH"] },
  ECC_NIST_P521: { SIGN_VERIFY: ["ECDSA_SHA_512"], KEY_AGREEMENT: ["ECDH"] },
  ECC_NIST_EDWARDS25519: { SIGN_VERIFY: ["ED25519_SHA_512", "ED25519_PH_SHA_512"] },
  RSA_2048: { SIGN_VERIFY: rsaSigning, ENCRYPT_DECRYPT: ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"] },
  HMAC_256: { GENERATE_VERIFY_MAC: ["HMAC_SHA_256"] },
};

/** Undefined when the pair is not legal. */
export function algorithmsOf(spec: KeySpec, usage: KeyUsage): readonly string[] | undefined {
  return algorithms[spec][usage];
}

/** The member of the metadata that lists the algorithms of a usage. */
export const algorithmsMember: Record<KeyUsage, string> = {
  SIGN_VERIFY: "SigningAlgorithms",
  ENCRYPT_DECRYPT: "EncryptionAlgorithms",
  GENERATE_VERIFY_MAC: "MacAlgorithms",
  KEY_AGREEMENT: "KeyAgreementAlgorithms",
  ENCAPSULATE_DECAPSULATE: "EncapsulationAlgorithms",
};

export function isKeySpec(spec: string): spec is KeySpec {
  return (keySpecs as readonly string[]).includes(spec);
}

type KeyFamily = "symmetric" | "mac" | "asymmetric";

/** UpdateAlias moves an alias only inside one family. */
export function familyOf(spec: KeySpec): KeyFamily {
  return spec === "SYMMETRIC_DEFAULT" ? "symmetric" : spec === "HMAC_256" ? "mac" : "asymmetric";
}
