/** The two keys that the catalog of the product's page names, for an emulator to begin with. */
export const SEED_KEYS = [
  { spec: "ECC_NIST_P256", aliases: ["alias/basil/jwt-signing-primary"] },
  { spec: "SYMMETRIC_DEFAULT", aliases: ["alias/basil/payload-aead"] },
] as const;
