import { encodeHeaders } from "./hpack/header-encoder.js";

/** The status codes this package answers with itself (gRPC, "Status codes and their use in gRPC"). */
export const StatusCode = {
  OK: 0,
  CANCELLED: 1,
  RESOURCE_EXHAUSTED: 8,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
} as const;

/** How a call ends. */
export interface GrpcStatus {
  /** 0 to 16. */
  readonly code: number;
  /** Any text; it is percent-encoded on the wire. */
  readonly message?: string;
  /** A serialized `google.rpc.Status`, sent as `grpc-status-details-bin`. */
  readonly details?: Uint8Array;
  /** More trailers: names in lower case, values of printable ASCII. */
  readonly metadata?: readonly (readonly [name: string, value: string])[];
}

const CONTENT_TYPE = ["content-type", "application/grpc+proto"] as const;

/** The header blocks of answers. Those that never differ are encoded once. */
export interface AnswerBlocks {
  /** `:status` 200 and the content type. */
  readonly head: Buffer;
  /** `grpc-status` 0. */
  readonly ok: Buffer;
}

let blocks: AnswerBlocks | undefined;

export function answerBlocks(): AnswerBlocks {
  blocks ??= {
    head: encodeHeaders([[":status", "200"], CONTENT_TYPE]),
    ok: encodeHeaders([["grpc-status", "0"]]),
  };
  return blocks;
}

/** Trailers after messages. */
export function encodeTrailers(status: GrpcStatus): Buffer {
  return encodeHeaders(statusFields(status));
}

/** An answer without a message, in one block ("Trailers-Only"). */
export function encodeTrailersOnly(status: GrpcStatus): Buffer {
  return encodeHeaders([[":status", "200"], CONTENT_TYPE, ...statusFields(status)]);
}

function statusFields({ code, message, details, metadata = [] }: GrpcStatus): (readonly [string, string])[] {
  const fields: (readonly [string, string])[] = [["grpc-status", String(code)]];
  if (message !== undefined && message !== "") fields.push(["grpc-message", percentEncode(message)]);
  if (details !== undefined) fields.push(["grpc-status-details-bin", encodeBinaryValue(details)]);
  fields.push(...metadata);
  return fields;
}

/** Base64 without padding, as gRPC sends the values of names that end in `-bin`. */
export function encodeBinaryValue(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64").replace(/=+$/, "");
}

/** Escapes each UTF-8 byte that is not printable ASCII, and `%` (gRPC over HTTP/2, "Status-Message"). */
export function percentEncode(text: string): string {
  if (/^[ -$&-~]*$/.test(text)) return text;
  let encoded = "";
  for (const byte of Buffer.from(text.toWellFormed())) {
    const plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    encoded += plain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}
