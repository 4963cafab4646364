import { type Backend, BackendError, type CallContext, type Provenance } from "@basil/core";

/** A backend that keeps values with versions in this process. */
export interface MemoryStore extends Backend {
  readonly values: Map<string, Uint8Array[]>;
  before: (operation: string, path: string, context: CallContext) => Promise<void> | void;
}

export function memoryStore(id = "store", kind = "keystore"): MemoryStore {
  const values = new Map<string, Uint8Array[]>();
  const at = (path: string): Provenance => ({ resource: `store:${path}` });
  const store: MemoryStore = {
    id,
    kind,
    capabilities: { engines: ["kv2"], keyTypes: {}, features: [] },
    values,
    before: () => {},
    kv2: {
      async get(path, context, { version } = {}) {
        await store.before("get", path, context);
        const versions = values.get(path) ?? [];
        const wanted = version ?? versions.length;
        const value = versions[wanted - 1];
        if (!value) throw new BackendError("KEY_NOT_FOUND", `no version ${wanted} at ${path}`, { key: path });
        return { value: value.slice(), version: wanted, ...at(path) };
      },
      async put(path, value, context, { createOnly = false } = {}) {
        await store.before("put", path, context);
        if (createOnly && values.has(path))
          throw new BackendError("KEY_EXISTS", `a value is at ${path}`, { key: path });
        const versions = [...(values.get(path) ?? []), value.slice()];
        values.set(path, versions);
        return { version: versions.length, ...at(path) };
      },
      async probe(path, context) {
        await store.before("probe", path, context);
        const latestVersion = values.get(path)?.length ?? 0;
        return latestVersion > 0 ? { state: "present", latestVersion, ...at(path) } : { state: "absent" };
      },
    },
    async probe() {
      throw new BackendError("UNSUPPORTED", "no keys here", { operation: "probe" });
    },
    async health() {
      return { healthy: true };
    },
    async [Symbol.asyncDispose]() {},
  };
  return store;
}
