import type { BackendEntry } from "@basil/catalog";
import type { Capabilities } from "../capabilities.js";
import type { MissingCapability } from "./capability-report.js";
import { isKnownCapability } from "./known-capabilities.js";
import { isDeclared } from "./mint-gate.js";
import type { KeyRequirement } from "./required-capabilities.js";

type Kind = Capabilities | undefined;

/** A backend that requires something is checked as if it declared what it provides, were it nothing. */
export function isChecked(backend: BackendEntry): boolean {
  return isDeclared(backend) || backend.requires.length > 0;
}

/** What a key needs and its backend does not offer. Without a `kind` only the declaration is consulted. */
export function missingForKey(required: KeyRequirement, backend: BackendEntry, kind: Kind): MissingCapability[] {
  return [
    ...missingEngine(required, backend, kind),
    ...missingTransit(required, backend, kind),
    ...missingMaker(required, backend),
    ...missingMintKeyType(required, backend),
  ];
}

/** What a backend's own `requires` names and it does not offer. */
export function missingForRequires(backend: BackendEntry, kind: Kind): MissingCapability[] {
  return [...new Set(backend.requires)].flatMap((need): MissingCapability[] => {
    const missing = { dimension: "capability", need } as const;
    if (!backend.capabilities.includes(need)) {
      const remedy = `add it to capabilities of backend "${backend.name}" if the server has it, or take it out of requires`;
      return [{ ...missing, lacking: "declaration", offered: backend.capabilities, remedy }];
    }
    if (kind === undefined || !isKnownCapability(need) || kind.features.includes(need)) return [];
    const remedy = `take it out of requires and capabilities: kind "${backend.kind}" does not have it`;
    return [{ ...missing, lacking: "kind", offered: kind.features, remedy }];
  });
}

/** Whether a need cannot be met by a declaration: the kind has no such engine or key type, so even a probe is refused. */
export function isUnservable({ dimension, lacking }: MissingCapability): boolean {
  return lacking === "kind" && (dimension === "engine" || dimension === "keyType");
}

function missingEngine({ engine, servedBy }: KeyRequirement, backend: BackendEntry, kind: Kind): MissingCapability[] {
  if (kind !== undefined && !kind.engines.includes(servedBy)) {
    const remedy = `move the key to a backend whose kind has ${servedBy}`;
    return [{ dimension: "engine", need: servedBy, lacking: "kind", offered: kind.engines, remedy }];
  }
  const missing = { dimension: "engine", need: engine } as const;
  if (!isChecked(backend) || backend.engines.includes(engine)) return [];
  const remedy = `add it to engines of backend "${backend.name}", or move the key`;
  return [{ ...missing, lacking: "declaration", offered: backend.engines, remedy }];
}

function missingTransit({ servedBy, transit }: KeyRequirement, backend: BackendEntry, kind: Kind): MissingCapability[] {
  if (transit === undefined || kind === undefined || !kind.engines.includes(servedBy)) return [];
  const { keyType } = transit;
  const backed = kind.keyTypes[keyType];
  if (backed === undefined) {
    const remedy = `move the key to a backend whose kind backs ${keyType}, or choose another key type`;
    return [{ dimension: "keyType", need: keyType, lacking: "kind", offered: Object.keys(kind.keyTypes), remedy }];
  }
  const lacks = transit.operations.filter((operation) => !backed.operations.includes(operation));
  return lacks.map((need) => ({
    dimension: "operation",
    need,
    keyType,
    lacking: "kind",
    offered: backed.operations,
    remedy:
      need === "createKey"
        ? `create the key by other means, and set missing to "error" or "warn"`
        : `move the key to a backend whose kind offers ${need} for ${keyType}; kind "${backend.kind}" does not`,
  }));
}

function missingMaker({ unmakeable, servedBy }: KeyRequirement, backend: BackendEntry): MissingCapability[] {
  if (!unmakeable) return [];
  const remedy = `put the key there by other means, and set missing to "error" or "warn": engine ${servedBy} of backend "${backend.name}" makes no keys of this class`;
  return [{ dimension: "operation", need: "createKey", lacking: "kind", offered: [], remedy }];
}

function missingMintKeyType({ mintKeyType }: KeyRequirement, backend: BackendEntry): MissingCapability[] {
  if (mintKeyType === undefined || !isChecked(backend) || backend.mintKeyTypes.includes(mintKeyType)) return [];
  const remedy = `add it to mintKeyTypes of backend "${backend.name}", or create the key by other means and set missing to "error"`;
  return [
    { dimension: "mintKeyType", need: mintKeyType, lacking: "declaration", offered: backend.mintKeyTypes, remedy },
  ];
}
