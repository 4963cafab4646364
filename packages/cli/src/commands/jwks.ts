import type { Client } from "@basil/client";
import { type BrokerOptions, declareBroker, withBroker } from "../broker-call.js";
import { defineCommand } from "../command.js";
import { repeated } from "../option-values.js";

interface JwksOptions extends BrokerOptions {
  readonly keyId?: readonly string[];
}

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
      const { isClientError, signerAlgorithm, signerJwk } = await import("@basil/client");
      // Two names may lead to one key.
      const found = new Map<string, object>();
      for (const keyId of options.keyId ?? (await signingKeys(client, call, signerAlgorithm))) {
        const key = await client.getPublicKey(keyId, call).catch((error: unknown) => {
          // A key that is only listed is not asked for by name, and not ours to read.
          if (!named && isClientError(error) && error.code === "UNAUTHORIZED") return undefined;
          throw error;
        });
        if (key === undefined) continue;
        const jwk = await signerJwk(key.publicKey, key.keyType);
        found.set(jwk.kid, jwk);
      }
      return [...found.values()];
    });
    return { keys };
  },
  render({ keys }, { out }) {
    out(JSON.stringify({ keys }, null, 2));
  },
});

async function signingKeys(
  client: Client,
  call: Parameters<Client["listCatalog"]>[0],
  algorithmOf: (keyType: string) => string | undefined,
): Promise<string[]> {
  const items = await client.listCatalog(call);
  return items
    .filter(({ kind, keyType }) => kind === "signing" && keyType !== undefined && algorithmOf(keyType) !== undefined)
    .map(({ name }) => name);
}
