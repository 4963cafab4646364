import { claims, fail, testLies, transit } from "./lie.js";

const p256 = { operations: ["sign"] } as const;

testLies([
  [
    "claims an engine it does not have",
    "contract",
    /^an engine is there/,
    claims(({ engines }) => ({ engines: [...engines, "pki"] })),
  ],
  ["has an engine it does not claim", "contract", /^an engine is there/, claims(() => ({ engines: ["transit"] }))],
  [
    "has no rotate and claims it",
    "contract",
    /^rotate is there/,
    (honest) => {
      const { rotate: _, ...rest } = honest.transit!;
      return { ...honest, transit: rest };
    },
  ],
  [
    "claims an operation there is not",
    "contract",
    /^capabilities name only/,
    claims(({ keyTypes }) => ({ keyTypes: { ...keyTypes, ed25519: { operations: ["seal" as "sign"] } } })),
  ],
  [
    "has a range upside down",
    "contract",
    /^ranges are whole/,
    claims(({ keyTypes }) => ({
      keyTypes: { ...keyTypes, ed25519: { operations: ["sign"], message: { min: 5, max: 4 } } },
    })),
  ],
  [
    "has a range for an input it does not take",
    "contract",
    /^ranges are whole/,
    claims(({ keyTypes }) => ({ keyTypes: { ...keyTypes, ed25519: { operations: ["sign"], plaintext: { min: 0 } } } })),
  ],
  ["has no id", "contract", /^id and kind/, (honest) => ({ ...honest, id: "" })],
  ["is not healthy", "contract", /^health/, (honest) => ({ ...honest, health: async () => ({ healthy: false }) })],
  [
    "fails when it is disposed of twice",
    "contract",
    /^disposing/,
    (honest) => {
      let disposals = 0;
      return { ...honest, [Symbol.asyncDispose]: async () => (disposals++ === 1 ? fail("REJECTED") : undefined) };
    },
  ],
  [
    "claims a key type it does not have",
    "claims",
    /^sign with ml-dsa-44/,
    claims(({ keyTypes }) => ({ keyTypes: { ...keyTypes, "ml-dsa-44": p256 } })),
  ],
  [
    "serves a key type it does not claim",
    "claims",
    /^createKey with ecdsa-p256/,
    claims(({ keyTypes: { "ecdsa-p256": _, ...keyTypes } }) => ({ keyTypes })),
  ],
  [
    "looks for the key before it refuses",
    "claims",
    /^sign with aes-256-gcm/,
    transit((honest) => ({
      sign: (key, message, context) =>
        honest.publicKey({ ...key, keyType: "ed25519" }, context).then(() => honest.sign(key, message, context)),
    })),
  ],
  [
    "throws what is not a BackendError",
    "claims",
    /^sign with ed25519 /,
    transit(() => ({ sign: () => Promise.reject(new Error("no")) })),
  ],
  [
    "throws a code there is not",
    "claims",
    /^sign with ed25519 /,
    transit(() => ({ sign: () => fail("GONE_FISHING" as "REJECTED") })),
  ],
  [
    "says that a key is unusable that is not there",
    "claims",
    /^sign with ed25519 /,
    transit(() => ({ sign: () => fail("KEY_UNUSABLE") })),
  ],
]);
