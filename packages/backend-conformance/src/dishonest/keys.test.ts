import { fail, probe, testLies, transit } from "./lie.js";

testLies([
  [
    "overwrites a key that is there",
    "createKey",
    /^aes-256-gcm: a path that is taken/,
    transit((honest) => ({
      createKey: (key, context) => honest.createKey(key, context).catch(() => ({ keyVersion: 1, resource: "x" })),
    })),
  ],
  [
    "lets two create at once",
    "createKey",
    /^aes-256-gcm: of two who/,
    transit((honest) => ({
      createKey: (key, context) => honest.createKey(key, context).catch(() => ({ keyVersion: 1, resource: "x" })),
    })),
  ],
  [
    "answers before the key is there",
    "createKey",
    /^ed25519: the key is at its path/,
    transit((honest) => ({
      createKey: async (key, context) => {
        setTimeout(() => void honest.createKey(key, context).catch(() => undefined), 20);
        return { keyVersion: 1, resource: "x" };
      },
    })),
  ],
  [
    "answers with another public key than the key's",
    "createKey",
    /^ed25519: the key is at its path/,
    transit((honest) => ({
      createKey: async (key, context) => ({ ...(await honest.createKey(key, context)), publicKey: new Uint8Array(44) }),
    })),
  ],
  [
    "does not count versions",
    "rotate",
    /^ed25519: the version grows/,
    transit((honest) => ({
      rotate: async (key, context) => ({ ...(await honest.rotate!(key, context)), keyVersion: 1 }),
    })),
  ],
  [
    "keeps the old key",
    "rotate",
    /^ed25519: both public keys/,
    transit((honest) => ({
      publicKey: (key, context) => honest.publicKey(key, context, { version: 1 }),
    })),
  ],
  [
    "forgets what the old key signed",
    "rotate",
    /^ed25519: a new key signs/,
    transit((honest) => ({
      verify: async (key, message, signature, context) => {
        const answer = await honest.verify(key, message, signature, context);
        return { ...answer, valid: answer.valid && answer.keyVersion !== 1 };
      },
    })),
  ],
  [
    "forgets what the old key encrypted",
    "rotate",
    /^aes-256-gcm: what was encrypted/,
    transit((honest) => ({
      decrypt: (key, envelope, aad, context) =>
        envelope.keyVersion === 1 ? fail("DECRYPT_FAILED") : honest.decrypt(key, envelope, aad, context),
    })),
  ],
  [
    "finds every key present",
    "probe",
    /^ed25519: absent and present/,
    probe(() => ({ state: "present", latestVersion: 1, resource: "x" })),
  ],
  ["finds no key", "probe", /^ed25519: absent and present/, probe(() => ({ state: "absent" }))],
  [
    "shows key bytes in a probe",
    "probe",
    /^ed25519: absent and present/,
    probe((found) => ({ ...found, publicKey: new Uint8Array(32) })),
  ],
  [
    "makes the keys it probes for",
    "probe",
    /^ed25519: absent and present/,
    (honest) => ({
      ...honest,
      probe: (key, context) =>
        honest.probe(key, context).finally(() => honest.transit!.createKey(key, context).catch(() => undefined)),
    }),
  ],
  [
    "finds a key of another type present",
    "probe",
    /^ed25519: a key of another type/,
    probe((found) => (found.state === "unusable" ? { state: "present", latestVersion: 1, resource: "x" } : found)),
  ],
  [
    "uses a key of another type",
    "probe",
    /^ecdsa-p256: a key of another type/,
    transit((honest) => ({
      sign: (key, message, context) => honest.sign({ ...key, keyType: "ecdsa-p256" }, message, context),
    })),
  ],
  [
    "probes for key types it does not claim",
    "probe",
    /^x25519: absent and present/,
    (honest) => ({
      ...honest,
      probe: async (key, context) =>
        honest.probe({ ...key, keyType: key.keyType === "x25519" ? "ed25519" : key.keyType }, context),
    }),
  ],
]);
