import { expect } from "vitest";
import {
  type Case,
  expectFailure,
  fails,
  fromBase64,
  invalid,
  type Scene,
  tooLarge,
  unsupported,
  zeros,
} from "../case.js";

const NEW_KEY = "SigningService/NewKey";
const IMPORT = "SigningService/Import";
const IMPORT_SET = "SigningService/ImportSet";
const MIB = 1_048_576;
const seed = { ed25519Seed: zeros(32) };
const pqc = (op: string, message: string) => ({
  code: "UNIMPLEMENTED",
  reason: "UNSUPPORTED_ALGORITHM",
  op,
  message,
});

/** Each implementation creates a key of its own, for a key is created once. */
const ownKey = (scene: Scene, stem: string) => `app.${stem}_${scene.driver.name === "grpc-js" ? "js" : "py"}`;

const newKey: readonly Case[] = [
  {
    id: "new-key.creates-once",
    run: async (scene) => {
      const keyId = ownKey(scene, "new");
      const created = await scene.answer("kms", NEW_KEY, { keyId, keyType: "KEY_TYPE_ECDSA_P256" });
      expect(created.keyId).toBe(keyId);
      expect(fromBase64(created.publicKey!)).toHaveLength(65);
      const { publicKey } = await scene.answer("kms", "SigningService/GetPublicKey", { keyId });
      expect(publicKey).toBe(created.publicKey);
      const again = await scene.call("kms", NEW_KEY, { keyId, keyType: "KEY_TYPE_ECDSA_P256" });
      expectFailure(again, invalid("new_key", "the key exists already"));
    },
  },
  {
    id: "new-key.symmetric",
    run: async (scene) => {
      const keyId = ownKey(scene, "new_aead");
      const created = await scene.answer("kms", NEW_KEY, { keyId, keyType: "KEY_TYPE_UNSPECIFIED" });
      expect(created).toEqual({ keyId, publicKey: "" });
    },
  },
  fails(
    "new-key.order.enum-before-class",
    "store",
    NEW_KEY,
    { keyId: "app.password", keyType: 99 },
    invalid("new_key", "key_type: unknown value 99"),
  ),
  fails(
    "new-key.class",
    "store",
    NEW_KEY,
    { keyId: "app.password", keyType: 10 },
    invalid("new_key", "key app.password is of class value, this needs class asymmetric or symmetric"),
  ),
  fails(
    "new-key.type-mismatch",
    "kms",
    NEW_KEY,
    { keyId: "app.writable", keyType: "KEY_TYPE_ED25519" },
    invalid("new_key", "key_type: found ed25519, key app.writable takes ecdsa-p256"),
  ),
  fails(
    "new-key.type-unspecified",
    "kms",
    NEW_KEY,
    { keyId: "app.writable" },
    invalid("new_key", "key_type: found none, key app.writable takes ecdsa-p256"),
  ),
  fails(
    "new-key.pqc",
    "kms",
    NEW_KEY,
    { keyId: "app.writable", keyType: "KEY_TYPE_ML_DSA_65" },
    pqc("new_key", "key_type: key app.writable is of type ecdsa-p256"),
  ),
  fails(
    "new-key.not-mintable",
    "kms",
    NEW_KEY,
    { keyId: "app.unmintable", keyType: "KEY_TYPE_ECDSA_P384" },
    pqc("new_key", "the key's backend does not offer this for its key type"),
  ),
  fails(
    "new-key.engine",
    "store",
    NEW_KEY,
    { keyId: "app.kv2_ed", keyType: "KEY_TYPE_ED25519" },
    unsupported("new_key", "key app.kv2_ed is kept by engine kv2, which does not offer this"),
  ),
];

const imports: readonly Case[] = [
  fails(
    "import.order.material-before-size",
    "store",
    IMPORT,
    { keyId: "app.password", keyType: 99 },
    invalid("import", "material must be given"),
  ),
  fails(
    "import.order.size-before-enum",
    "store",
    IMPORT,
    { keyId: "app.password", keyType: 99, material: { pkcs8Der: zeros(MIB + 1) } },
    tooLarge("import", "material: 1048577 bytes, at most 1048576 are allowed"),
  ),
  fails(
    "import.order.enum-before-class",
    "store",
    IMPORT,
    { keyId: "app.password", keyType: 99, material: seed },
    invalid("import", "key_type: unknown value 99"),
  ),
  fails(
    "import.type-unspecified",
    "store",
    IMPORT,
    { keyId: "app.password", material: seed },
    invalid("import", "key_type must be given"),
  ),
  fails(
    "import.pqc",
    "kms",
    IMPORT,
    { keyId: "app.writable", keyType: "KEY_TYPE_ML_DSA_44", material: seed },
    pqc("import", "key_type: a key of this type is not imported"),
  ),
  fails(
    "import.class",
    "kms",
    IMPORT,
    { keyId: "app.writable_aead", keyType: "KEY_TYPE_ED25519", material: seed },
    invalid("import", "key app.writable_aead is of class symmetric, this needs class asymmetric"),
  ),
  fails(
    "import.unsupported",
    "kms",
    IMPORT,
    { keyId: "app.writable", keyType: "KEY_TYPE_ECDSA_P256", material: { pkcs8Der: zeros(10) } },
    unsupported("import"),
  ),
  fails("import-set.empty", "kms", IMPORT_SET, {}, invalid("import_set", "entries must hold at least one key")),
  {
    id: "import-set.empty-before-policy",
    run: async (scene) => {
      const outcome = await scene.call("stranger", IMPORT_SET);
      expectFailure(outcome, invalid("import_set", "entries must hold at least one key"));
    },
  },
  {
    id: "import-set.order.per-entry",
    run: async (scene) => {
      const good = { keyId: "app.writable", keyType: "KEY_TYPE_ECDSA_P256", material: { pkcs8Der: zeros(MIB) } };
      const run = (...entries: object[]) => scene.call("kms", IMPORT_SET, { entries });
      // The first entry's missing material is told before the second entry's refusal, and the other way round.
      const noMaterial = { keyId: "app.writable", keyType: 99 };
      const forbidden = { keyId: "other.p256", keyType: 99 };
      expectFailure(await run(noMaterial, forbidden), invalid("import_set", "material must be given"));
      expect(await run(forbidden, noMaterial)).toMatchObject({ code: "PERMISSION_DENIED" });
      expect(await run(good, good, forbidden)).toMatchObject({ code: "PERMISSION_DENIED" });
      const noType = { ...good, keyType: 99 };
      expectFailure(await run(good, good, noType), invalid("import_set", "key_type: unknown value 99"));
      expectFailure(
        await run(good, good),
        tooLarge("import_set", "entries: 2097152 bytes, at most 1048576 are allowed"),
      );
      expectFailure(await run(good), unsupported("import_set"));
    },
  },
];

export const keyCreation: readonly Case[] = [...newKey, ...imports];
