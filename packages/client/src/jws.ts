import type { Signer } from "./signer.js";
import type { CallOptions } from "./transport.js";

export interface JwsOptions extends CallOptions {
  /** Further members of the protected header; not `alg` and `kid`, which are the signer's. */
  readonly header?: Readonly<Record<string, unknown>>;
}

/** What signs a JWS. Without `kid` the header has none: the caller may not read the public key that it is made from. */
export type JwsSigner = Pick<Signer, "alg" | "sign"> & { readonly kid?: string };

/**
 * The compact serialization (RFC 7515 §3.1) of the payload, signed.
 *
 * @throws TypeError for a header that sets `alg` or `kid`, or has `b64` or `crit`, which change what is signed.
 */
export async function signJws(signer: JwsSigner, payload: Uint8Array, options: JwsOptions = {}): Promise<string> {
  const { header = {}, ...call } = options;
  for (const name of ["alg", "kid", "b64", "crit"]) {
    if (Object.hasOwn(header, name)) throw new TypeError(`header must not set ${name}`);
  }
  const { alg, kid } = signer;
  const protectedHeader = new TextEncoder().encode(JSON.stringify({ alg, kid, ...header }));
  const input = `${base64url(protectedHeader)}.${base64url(payload)}`;
  const signature = await signer.sign(new TextEncoder().encode(input), call);
  return `${input}.${base64url(signature)}`;
}

/**
 * A JWT (RFC 7519) with exactly these claims: no time is filled in. `typ` is `JWT` unless the header says otherwise.
 *
 * @throws TypeError as {@link signJws}.
 */
export async function signJwt(
  signer: Signer,
  claims: Readonly<Record<string, unknown>>,
  { header, ...call }: JwsOptions = {},
): Promise<string> {
  const payload = new TextEncoder().encode(JSON.stringify(claims));
  return signJws(signer, payload, { ...call, header: { typ: "JWT", ...header } });
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64url");
}
