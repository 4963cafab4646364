import type { Client, KeyTypeName } from "@basil/client";
import { type BrokerOptions, declareBroker, withBroker } from "../broker-call.js";
import { defineCommand } from "../command.js";
import { repeated } from "../option-values.js";
import { publicJwk } from "../public-jwk.js";

interface JwksOptions extends BrokerOptions {
  readonly keyId?: readonly string[];
}

/** The key types that JSON Web Signatures have an algorithm for here. */
const JOSE_KEY_TYPES: readonly KeyTypeName[] = ["ed25519", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521"];

export const jwks = defineCommand<JwksOptions, { readonly keys: readonly object[] }>({
  name: "jwks",
  summary: "print signing keys as a JSON Web Key Set: those named, or all whose public half you may read",
  strayOperand: "--key-id",
  examples: ["basil jwks > jwks.json", "basil jwks --key-id jwt.signing.primary"],
  declare(command) {
    command.option("--key-id <name>", "a key's name in the catalog; may be repeated", repeated);
    declareBroker(command);
  },
  async run({ options }, context) {
    const keys = await withBroker(options, context, async (client, call) => {
      const named = options.keyId !== undefined;
      const found: object[] = [];
      for (const keyId of options.keyId ?? (await signingKeys(client, call))) {
        const key = await client.getPublicKey(keyId, call).catch(async (error: unknown) => {
          const { isClientError } = await import("@basil/client");
          // A key that is only listed is not asked for by name, and not ours to read.
          if (!named && isClientError(error) && error.code === "UNAUTHORIZED") return undefined;
          throw error;
        });
        if (key !== undefined) found.push(await publicJwk(key.publicKey, key.keyType));
      }
      return found;
    });
    return { keys };
  },
  render({ keys }, { out }) {
    out(JSON.stringify({ keys }, null, 2));
  },
});

async function signingKeys(client: Client, call: Parameters<Client["listCatalog"]>[0]): Promise<string[]> {
  const items = await client.listCatalog(call);
  return items
    .filter(({ kind, keyType }) => kind === "signing" && keyType !== undefined && JOSE_KEY_TYPES.includes(keyType))
    .map(({ name }) => name);
}
