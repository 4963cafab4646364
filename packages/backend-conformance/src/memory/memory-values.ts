import { BackendError, type Kv2Engine } from "@basil/core";
import { throwIfStopped } from "./stopped.js";

/** Values by path, every version kept. */
export function memoryValues(): Kv2Engine {
  const values = new Map<string, Uint8Array[]>();
  const resource = (path: string) => `memory:${path}`;
  return {
    async get(path, context, options = {}) {
      throwIfStopped(context);
      const versions = values.get(path) ?? [];
      const version = options.version ?? versions.length;
      const value = versions[version - 1];
      if (value === undefined) {
        throw new BackendError("KEY_NOT_FOUND", `no version ${version} of a value at ${path}`, { key: path });
      }
      return { value: Uint8Array.from(value), version, resource: resource(path) };
    },
    async put(path, value, context, { createOnly = false } = {}) {
      throwIfStopped(context);
      const versions = values.get(path) ?? [];
      if (createOnly && versions.length > 0) {
        throw new BackendError("KEY_EXISTS", `a value is at ${path}`, { key: path });
      }
      values.set(path, [...versions, Uint8Array.from(value)]);
      return { version: versions.length + 1, resource: resource(path) };
    },
    async probe(path, context) {
      throwIfStopped(context);
      const latestVersion = values.get(path)?.length;
      return latestVersion === undefined
        ? { state: "absent" }
        : { state: "present", latestVersion, resource: resource(path) };
    },
  };
}
