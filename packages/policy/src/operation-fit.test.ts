import { readFileSync } from "node:fs";
import { type KeyEntry, parseCatalog } from "@basil/catalog";
import { describe, expect, it } from "vitest";
import { operationFits } from "./operation-fit.js";
import { OPERATIONS } from "./operations.js";

function keyOf(pair: string, name: string, change: Partial<KeyEntry> = {}): KeyEntry {
  const file = new URL(`../../../vectors/documents/pair-${pair}.catalog.json`, import.meta.url);
  return { ...parseCatalog(readFileSync(file)).keys.get(name)!, ...change };
}

const fitting = (key: KeyEntry) => OPERATIONS.filter((operation) => operationFits(operation, key)).join(" ");

describe("operationFits", () => {
  it.for([
    ["asymmetric", keyOf("a", "shop.api.token_signer"), "list get_public_key verify sign mint rotate import new_key"],
    [
      "ES512",
      keyOf("a", "shop.api.token_signer", { keyType: "ecdsa-p521" }),
      "list get_public_key verify sign rotate import new_key",
    ],
    ["symmetric", keyOf("a", "shop.db.field_key"), "list encrypt decrypt rotate import new_key"],
    ["value with a recipe", keyOf("a", "shop.db.password"), "get list set rotate"],
    ["value without", keyOf("a", "shop.partner.api_key"), "get list set"],
    ["public", keyOf("a", "shop.tls.ca"), "get list get_public_key verify"],
    ["sealing x25519", keyOf("b", "edge.inbox"), "list encrypt decrypt encrypt_nats_curve decrypt_nats_curve"],
    [
      "sealing ML-KEM",
      keyOf("b", "edge.inbox", { keyType: "ml-kem-768" }),
      "list get_public_key encrypt decrypt new_key use_software_custody",
    ],
    ["asymmetric kv2", keyOf("b", "edge.seed_signer"), "list get_public_key verify sign mint new_key"],
    [
      "a JWT-SVID issuer",
      keyOf("b", "mesh.jwt_issuer"),
      "list get_public_key verify sign mint validate rotate import new_key",
    ],
    [
      "a NATS account",
      keyOf("b", "nats.account"),
      "list get_public_key verify sign mint sign_nats_jwt validate_nats_jwt rotate import new_key",
    ],
    ["ML-DSA", keyOf("b", "pq.release_signer"), "list get_public_key verify sign new_key use_software_custody"],
  ] as [string, KeyEntry, string][])("%s (§2.7, §3)", ([, key, operations]) => expect(fitting(key)).toBe(operations));
});
