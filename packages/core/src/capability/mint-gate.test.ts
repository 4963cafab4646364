import type { BackendEntry, KeyType } from "@basil/catalog";
import { describe, expect, it } from "vitest";
import { requireMintable } from "./mint-gate.js";

function backend(kind: string, declared: Partial<BackendEntry>): BackendEntry {
  return { name: "b", kind, addr: "", engines: [], capabilities: [], mintKeyTypes: [], requires: [], ...declared };
}

const refused = expect.objectContaining({ code: "UNSUPPORTED_ALGORITHM" });

describe("requireMintable", () => {
  it.each<[string, Partial<BackendEntry>, KeyType]>([
    ["vault", { mintKeyTypes: ["ecdsa-p256"] }, "ecdsa-p256"],
    ["vault", { engines: ["transit"] }, "aes-256-gcm"],
    ["aws-kms", { mintKeyTypes: ["aes-256-gcm"] }, "aes-256-gcm"],
    ["vault", {}, "ecdsa-p256"],
    ["aws-kms", {}, "aes-256-gcm"],
    ["vault", { requires: ["x"] }, "ecdsa-p256"],
  ])("lets kind %s declaring %o make %s", (kind, declared, keyType) => {
    expect(() => requireMintable(backend(kind, declared), keyType)).not.toThrow();
  });

  it.each<[string, Partial<BackendEntry>, KeyType]>([
    ["vault", { mintKeyTypes: ["ecdsa-p256"] }, "ecdsa-p384"],
    ["vault", { engines: ["transit"] }, "ed25519"],
    ["vault", { capabilities: ["byok-import"] }, "rsa-2048"],
    ["aws-kms", { mintKeyTypes: ["ecdsa-p256"] }, "aes-256-gcm"],
    ["aws-kms", { engines: ["transit"] }, "aes-256-gcm"],
  ])("refuses kind %s declaring %o to make %s", (kind, declared, keyType) => {
    expect(() => requireMintable(backend(kind, declared), keyType)).toThrow(refused);
  });
});
