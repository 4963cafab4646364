import type { ZodType } from "zod";
import { BundleError } from "./errors.js";
import { LIMITS } from "./limits.js";
import { requireName } from "./name.js";
import type { PayloadBackend } from "./payload.js";

/** A credential to seal. */
export interface CredentialInput {
  /** The backend's name in the catalog: 1 to 128 characters, no control characters. */
  readonly id: string;
  /** Which kind of credential it is, such as `aws-kms`. */
  readonly kind: string;
  /** A string or any JSON value. */
  readonly credential: unknown;
  /** What the credential has to be; what the schema makes of it is sealed. */
  readonly schema?: ZodType;
}

/** A credential taken out of a bundle. */
export interface BackendCredential {
  readonly kind: string;
  /** Parsed anew on every read, so that nothing is kept but bytes that can be zeroed. A TypeError once they are. */
  readonly credential: unknown;
}

/** @throws {@link BundleError} `CREDENTIAL_INVALID`, `MALFORMED`, `LIMIT`. */
export function encodeCredential(input: CredentialInput): PayloadBackend {
  const { id, kind, schema } = input;
  requireName("backend id", id);
  requireName("backend kind", kind);
  let { credential } = input;
  if (schema !== undefined) {
    const result = schema.safeParse(credential);
    if (!result.success) {
      // Issue messages of a schema name fields and rules; the value itself may be secret and is left out.
      const problems = result.error.issues.map(
        ({ path, message }) =>
          `${path.join(".") || "credential"}: ${message.endsWith("received undefined") ? "is missing" : message}`,
      );
      throw new BundleError("CREDENTIAL_INVALID", `backend "${id}": ${problems.join("; ")}`, {
        backendId: id,
        problems,
      });
    }
    credential = result.data;
  }
  const text = JSON.stringify(credential);
  if (text === undefined) throw new TypeError(`the credential of backend "${id}" has no JSON form`);
  const json = new TextEncoder().encode(text);
  if (json.length > LIMITS.credentialBytes) {
    const { credentialBytes: limit } = LIMITS;
    throw new BundleError(
      "LIMIT",
      `the credential of backend "${id}" is ${json.length} bytes, at most ${limit} are allowed`,
      {
        field: "credential",
        limit,
        actual: json.length,
      },
    );
  }
  return { id, kind, json };
}

/** A credential over bytes that somebody else zeroes. @throws {@link BundleError} `MALFORMED` when they are not JSON. */
export function decodeCredential({ id, kind, json }: PayloadBackend): BackendCredential {
  const read = (): unknown => JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(json));
  try {
    read();
  } catch {
    // The parser's message quotes the text, which is secret.
    throw new BundleError("MALFORMED", `the credential of backend "${id}" is not JSON`, { field: "credential" });
  }
  return {
    kind,
    get credential() {
      if (json.length > 0 && json.every((byte) => byte === 0)) throw new TypeError("the bundle was disposed of");
      return read();
    },
  };
}
