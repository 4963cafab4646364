import { readFile, stat } from "node:fs/promises";
import { type Catalog, CatalogError, parseCatalog } from "@basil/catalog";
import { type DocumentPair, type Policy, PolicyError, parsePolicy } from "@basil/policy";
import { BrokerError } from "../errors.js";

/** Why a reload is refused; stable tokens of the protocol. */
export type RejectionReason =
  | "no_reload_inputs"
  | "catalog_read_failed"
  | "policy_read_failed"
  | "inputs_changed_during_read"
  | "validation_failed"
  | "routing_shape_changed";

/** Where a reload reads from. */
export interface DocumentSource {
  /** Both documents as they are now, read anew each time. @throws {@link BrokerError} `RELOAD_REJECTED`. */
  read(): Promise<DocumentPair>;
}

export interface DocumentFilesOptions {
  readonly catalog: string;
  readonly policy: string;
  /** Default: `parseCatalog` of `@basil/catalog`. */
  readonly parseCatalog?: (bytes: Uint8Array) => Catalog;
  /** Default: `parsePolicy` of `@basil/policy`. */
  readonly parsePolicy?: (bytes: Uint8Array) => Policy;
}

/** The two documents as files. Both are of one moment: files that change while they are read are refused. */
export function documentFiles(options: DocumentFilesOptions): DocumentSource {
  const parsers = { parseCatalog, parsePolicy, ...options };
  return {
    async read() {
      const before = await fingerprints(options);
      const catalogBytes = await readBytes(options.catalog, "catalog_read_failed");
      const policyBytes = await readBytes(options.policy, "policy_read_failed");
      if ((await fingerprints(options)) !== before) {
        throw rejected("inputs_changed_during_read", "a document changed while it was read; try again");
      }
      return { catalog: parse(parsers.parseCatalog, catalogBytes), policy: parse(parsers.parsePolicy, policyBytes) };
    },
  };
}

export function rejected(reason: RejectionReason, message: string, cause?: unknown): BrokerError<"RELOAD_REJECTED"> {
  return new BrokerError("RELOAD_REJECTED", message, { reason }, cause === undefined ? {} : { cause });
}

async function fingerprints({ catalog, policy }: DocumentFilesOptions): Promise<string> {
  return `${await fingerprint(catalog, "catalog_read_failed")} ${await fingerprint(policy, "policy_read_failed")}`;
}

async function fingerprint(path: string, reason: RejectionReason): Promise<string> {
  const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true }).catch((cause) => {
    throw unreadable(path, reason, cause);
  });
  return [dev, ino, size, mtimeNs, ctimeNs].join(":");
}

async function readBytes(path: string, reason: RejectionReason): Promise<Uint8Array> {
  return readFile(path).catch((cause) => {
    throw unreadable(path, reason, cause);
  });
}

function unreadable(path: string, reason: RejectionReason, cause: NodeJS.ErrnoException) {
  return rejected(reason, `${path} cannot be read: ${cause.code ?? cause.message}`, cause);
}

function parse<Document>(read: (bytes: Uint8Array) => Document, bytes: Uint8Array): Document {
  try {
    return read(bytes);
  } catch (error) {
    if (!(error instanceof CatalogError) && !(error instanceof PolicyError)) throw error;
    throw rejected("validation_failed", error.message, error);
  }
}
