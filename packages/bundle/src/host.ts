import { diskFiles, type FileLayer } from "./file-layer.js";
import { localProcesses, type ProcessTable } from "./process-identity.js";

/** What a bundle operation uses of the machine it runs on; a test puts its own in place. */
export interface BundleHost {
  readonly files: FileLayer;
  readonly processes: ProcessTable;
  /** The effective uid; nothing where the platform has none, and then owners are not checked. */
  uid(): number | undefined;
  now(): Date;
}

export const localHost: BundleHost = {
  files: diskFiles,
  processes: localProcesses,
  uid: () => process.geteuid?.(),
  now: () => new Date(),
};

/** RFC 3339 in UTC, whole seconds. */
export function instantOf(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}
