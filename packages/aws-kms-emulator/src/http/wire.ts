/** A request as any transport hands it over. */
export interface WireRequest {
  readonly method: string;
  /** Path without the query string, as received. */
  readonly path: string;
  /** Query string without `?`, as received. */
  readonly query: string;
  /** Lower-case names; several values of one name are joined by a comma. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
  /** Address of the peer; `127.0.0.1` where there is no socket. */
  readonly remoteAddress: string;
}

/** What happens to an answer on its way, other than arriving whole. */
export type Mishap =
  | { readonly kind: "reset" }
  | { readonly kind: "hang" }
  /** The connection ends after so many bytes of the body. */
  | { readonly kind: "truncate"; readonly bytes: number };

/** An answer before any transport writes it. */
export interface WireResponse {
  readonly mishap?: Mishap;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

const noBytes: Uint8Array = new Uint8Array(0);
const encoder = new TextEncoder();

export function jsonResponse(status: number, value: unknown, headers: Readonly<Record<string, string>>): WireResponse {
  return { status, headers, body: value === undefined ? noBytes : encoder.encode(JSON.stringify(value)) };
}

export function textResponse(status: number, type: string, text: string): WireResponse {
  return { status, headers: { "content-type": type }, body: encoder.encode(text) };
}
