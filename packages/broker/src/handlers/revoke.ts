import { type KeyEntry, labelValue } from "@basil/catalog";
import { abortable, BackendError, isBackendError, type Kv2Engine } from "@basil/core";
import { type RevokeRequest, type RevokeResponse, RevokeResponseSchema } from "@basil/proto";
import { create } from "@bufbuild/protobuf";
import { unavailable } from "../request/backend-answers.js";
import type { Call } from "../request/call.js";
import { storeOf } from "./value-store.js";

interface Revocation {
  readonly trust_domain: string;
  readonly jti: string;
  readonly expires_at_unix: number;
}

/** Puts a credential on the stored deny list. A revocation is never shortened. Input is checked before the caller is known. */
export async function revoke(request: RevokeRequest, call: Call): Promise<RevokeResponse> {
  const trust_domain = request.trustDomain.trim();
  const jti = request.jti.trim();
  const expires_at_unix = Number(request.expiresAtUnix);
  const now = Math.floor(Date.now() / 1000);
  if (trust_domain === "") throw call.fail("INVALID_ARGUMENT", "trust_domain must be given");
  if (jti === "") throw call.fail("INVALID_ARGUMENT", "jti must be given");
  if (!Number.isSafeInteger(expires_at_unix) || expires_at_unix <= now) {
    throw call.fail("INVALID_ARGUMENT", "expires_at_unix must be in the future");
  }
  call.authorizeAdmin("revoke");
  const entry = storeEntry(call);
  if (entry === undefined) throw call.fail("NO_REVOCATION_STORE", "the catalog has no revocation store");
  const kv2 = storeOf(call, entry);
  const add = { trust_domain, jti, expires_at_unix };
  const persisted = call.services.revocations.run(() => persist(call, kv2, entry.path, add, now));
  await abortable(persisted, call.context.signal);
  call.services.events.publish({ case: "revoked", value: { trustDomain: trust_domain, id: jti } });
  return create(RevokeResponseSchema, {
    trustDomain: trust_domain,
    jti,
    expiresAtUnix: BigInt(expires_at_unix),
    persisted: true,
  });
}

function storeEntry(call: Call): KeyEntry | undefined {
  const entries = [...call.generation.catalog.keys.values()];
  return entries.find(({ class: c, labels }) => c === "value" && labelValue(labels, "revocation_store") === "jwt-svid");
}

async function persist(call: Call, kv2: Kv2Engine, path: string, add: Revocation, now: number): Promise<void> {
  try {
    await call.ask(async (context) => {
      const stored = await kv2.get(path, context).catch((error: unknown) => {
        if (isBackendError(error) && error.code === "KEY_NOT_FOUND") return undefined;
        throw error;
      });
      // Somebody else's turn has come meanwhile: what was read is not what is stored.
      context.signal.throwIfAborted();
      const entries = merge(stored === undefined ? [] : readEntries(stored.value), add, now);
      const { version, resource } = await kv2.put(path, encode(entries), context);
      call.provenance = { keyVersion: version, resource };
    });
  } catch (error) {
    throw unavailable("revoke", error);
  }
}

/** What is over needs no entry; of two for one credential the later expiry counts. */
function merge(entries: readonly Revocation[], add: Revocation, now: number): Revocation[] {
  const same = ({ trust_domain, jti }: Revocation) => trust_domain === add.trust_domain && jti === add.jti;
  const known = entries.find(same)?.expires_at_unix ?? 0;
  const others = entries.filter((entry) => !same(entry) && entry.expires_at_unix > now);
  return [...others, { ...add, expires_at_unix: Math.max(add.expires_at_unix, known) }];
}

function encode(entries: readonly Revocation[]): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ version: 1, entries }));
}

function readEntries(value: Uint8Array): Revocation[] {
  let document: { version?: unknown; entries?: unknown };
  try {
    document = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(value));
  } catch (cause) {
    throw new BackendError("PROTOCOL", "the revocation store holds no JSON", {}, { cause });
  }
  if (document?.version !== 1 || !Array.isArray(document.entries)) {
    throw new BackendError("PROTOCOL", "the revocation store is not of version 1", {});
  }
  return document.entries.filter(
    (entry): entry is Revocation =>
      typeof entry?.trust_domain === "string" &&
      typeof entry.jti === "string" &&
      entry.trust_domain.trim() !== "" &&
      entry.jti.trim() !== "" &&
      Number.isSafeInteger(entry.expires_at_unix),
  );
}
