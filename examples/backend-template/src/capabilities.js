const MESSAGE = { min: 0, max: 1_048_576 };
const PLAINTEXT = { min: 0, max: 65_536 };

/** @type {readonly import("@basil/core").TransitOperation[]} */
const SIGNS = ["sign", "verify", "publicKey", "createKey"];

/**
 * What this backend does, as data. What is not here is refused, and what is here has to work: conformance holds it to both.
 *
 * @satisfies {import("@basil/core").Capabilities}
 */
export const capabilities = {
  engines: /** @type {const} */ (["transit"]),
  keyTypes: {
    ed25519: { operations: SIGNS, message: MESSAGE },
    "ecdsa-p256": { operations: SIGNS, message: MESSAGE },
    "aes-256-gcm": { operations: /** @type {const} */ (["encrypt", "decrypt", "createKey"]), plaintext: PLAINTEXT },
  },
  features: [],
};
