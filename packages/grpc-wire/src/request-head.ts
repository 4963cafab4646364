import type { FieldList } from "./hpack/header-decoder.js";

/** The header fields of a request that is well-formed HTTP/2. */
export interface RequestHead {
  readonly method: string;
  readonly path: string;
  readonly contentType: string;
  /** `content-length`, where the client sent one. */
  readonly contentLength: number | undefined;
  /** `grpc-timeout` as it was sent. */
  readonly timeout: string | undefined;
  /** `grpc-encoding`; absent is `identity`. */
  readonly encoding: string;
  /** Every field that is not a pseudo-header, names and values in turn. */
  readonly fields: FieldList;
}

const PSEUDO = new Set([":method", ":scheme", ":path", ":authority"]);
/** RFC 9113 §8.2.2. */
const CONNECTION_SPECIFIC = new Set(["connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade"]);
/** RFC 9110 §5.6.2 without upper case (RFC 9113 §8.2.1). */
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
/** RFC 9113 §8.2.1: no NUL, CR or LF, and no white space at either end. */
const BAD_VALUE = /[\0\r\n]|^[ \t]|[ \t]$/;

/**
 * Reads the fields of a request (RFC 9113 §8.3.1).
 *
 * @returns Undefined for a malformed request.
 */
export function readRequestHead(list: FieldList): RequestHead | undefined {
  const pseudo = new Map<string, string>();
  const known = { contentType: "", timeout: undefined as string | undefined, encoding: "identity" };
  let contentLength: number | undefined;
  let at = 0;
  for (; at < list.length && list[at]?.startsWith(":"); at += 2) {
    const name = list[at] as string;
    const value = list[at + 1] as string;
    if (!PSEUDO.has(name) || pseudo.has(name) || BAD_VALUE.test(value)) return undefined;
    pseudo.set(name, value);
  }
  const fields = list.slice(at);
  if (!areFields(fields)) return undefined;
  for (let n = 0; n < fields.length; n += 2) {
    const value = fields[n + 1] as string;
    switch (fields[n]) {
      case "content-type":
        known.contentType = value;
        break;
      case "grpc-timeout":
        known.timeout = value;
        break;
      case "grpc-encoding":
        known.encoding = value;
        break;
      case "content-length": {
        const length = /^[0-9]{1,15}$/.test(value) ? Number(value) : -1;
        if (length < 0 || (contentLength !== undefined && contentLength !== length)) return undefined;
        contentLength = length;
        break;
      }
    }
  }
  const method = pseudo.get(":method");
  const path = pseudo.get(":path");
  if (method === undefined || !path || !pseudo.get(":scheme")) return undefined;
  return { method, path, ...known, contentLength, fields };
}

/** Whether these may be fields that are not pseudo-headers: those after them, or the trailers of a request. */
export function areFields(fields: FieldList): boolean {
  for (let n = 0; n < fields.length; n += 2) {
    const name = fields[n] as string;
    const value = fields[n + 1] as string;
    if (!NAME.test(name) || BAD_VALUE.test(value) || CONNECTION_SPECIFIC.has(name)) return false;
    if (name === "te" && value !== "trailers") return false;
  }
  return true;
}
