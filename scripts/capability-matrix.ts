import { awsKmsPlugin } from "@basil/backend-aws-kms";
import {
  type Capabilities,
  KEY_TYPES,
  KNOWN_CAPABILITIES,
  needsMintKeyType,
  renderCapabilityMatrix,
  renderEngineTable,
} from "@basil/core";

/** The kinds of this repository, each with the table its package exports. */
const PLUGINS = [awsKmsPlugin];

/** docs/capability-matrix.md, whole. */
export function capabilityMatrixDocument(): string {
  const provided = new Map<string, Capabilities>(PLUGINS.map(({ kind, capabilities }) => [kind, capabilities]));
  return `# Capability matrix

What each kind of backend can do, as its package declares it. Generated from those declarations, not written by hand:
\`npx -y pnpm@12 exec vitest run tests/capability-matrix.test.ts -u\` writes this file, and the same test without \`-u\` fails when it is out of date.
Each package proves its rows with \`@basil/backend-conformance\`: what is claimed works, what is not claimed is refused.

## Engines

${renderEngineTable(provided)}

\`transit\` uses a key in place, \`kv2\` stores values with versions, \`pki\` issues X.509 leaves.

## Key types and operations

${renderCapabilityMatrix(provided)}

A key type or operation without a \`yes\` is refused before any call to the backend, with \`UNSUPPORTED_ALGORITHM\` or \`UNSUPPORTED\`. So are these key
types of the catalog:

${refusedKeyTypes(provided)}

Under a range a call is \`INVALID_REQUEST\`, over it \`PAYLOAD_TOO_LARGE\`, also before any call. Sign and verify take the whole message: the hash is a
property of the key type (SHA-256, SHA-384, SHA-512 for P-256, P-384, P-521; none for Ed25519), never of the caller.

## What a catalog requires

| From                             | Required                                                                                        |
| -------------------------------- | ----------------------------------------------------------------------------------------------- |
| every key                        | the engine it names; and the engine that serves its class: kv2 for value, public and sealing    |
| an \`asymmetric\` key in \`transit\` | its key type with sign, verify and publicKey                                                    |
| a \`symmetric\` key                | its key type with encrypt and decrypt                                                           |
| either, with \`missing: generate\` | createKey for the key type; and the type in \`mintKeyTypes\`, if it is gated on that kind (below) |
| \`requires\` of a backend          | each capability it names                                                                        |

The policy is not read. Required must be within provided: what the catalog declares for the backend (\`engines\`, \`capabilities\`, \`mintKeyTypes\`)
intersected with what the kind can do. A backend that declares nothing and requires nothing is held to its kind alone.

| \`capability-policy\` | Gap of a key with \`missing: error\` | Other gaps      |
| ------------------- | ---------------------------------- | --------------- |
| \`strict\`            | fatal                              | fatal           |
| \`degraded\`          | fatal                              | fatal for an engine or key type that the kind does not have, else a warning |
| \`off\`               | not checked                        | not checked     |

Capabilities with a meaning of their own: ${KNOWN_CAPABILITIES.map((token) => `\`${token}\``).join(", ")}. Any other text is
the deployment's, compared as it stands.

## Key types that must be in \`mintKeyTypes\`

Whatever \`capability-policy\` says, a backend that declares anything creates a key of these types only when its \`mintKeyTypes\` lists them:

${mintGateTable(provided)}
`;
}

function refusedKeyTypes(provided: ReadonlyMap<string, Capabilities>): string {
  const rows = [...provided].map(([kind, { keyTypes }]) => {
    const refused = KEY_TYPES.filter((keyType) => keyTypes[keyType] === undefined);
    return `- ${kind}: ${refused.map((keyType) => `\`${keyType}\``).join(", ") || "none"}`;
  });
  return rows.join("\n");
}

function mintGateTable(provided: ReadonlyMap<string, Capabilities>): string {
  const rows = [...provided].map(([kind, { keyTypes }]) => {
    const backend = { name: kind, kind, addr: "", engines: [], capabilities: [], mintKeyTypes: [], requires: [] };
    const creatable = KEY_TYPES.filter((keyType) => keyTypes[keyType]?.operations.includes("createKey"));
    const gated = creatable.filter((keyType) => needsMintKeyType(backend, keyType));
    return `- ${kind}: ${gated.map((keyType) => `\`${keyType}\``).join(", ") || "none"}`;
  });
  return rows.join("\n");
}
