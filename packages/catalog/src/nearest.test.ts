import { describe, expect, it } from "vitest";
import { nearest } from "./nearest.js";
import { KEY_TYPES } from "./vocabulary.js";

describe("nearest", () => {
  it.for([
    ["ecdsa-p265", "ecdsa-p256"],
    ["ecdsa_p256", "ecdsa-p256"],
    ["ECDSA-P384", "ecdsa-p384"],
    ["aes-256-gmc", "aes-256-gcm"],
    ["aes256gcm", "aes-256-gcm"],
    ["ed2551", "ed25519"],
    ["x2551", "x25519"],
    ["rsa2048", "rsa-2048"],
  ] as const)("takes %s for a slip of %s", ([word, meant]) => expect(nearest(word, KEY_TYPES)).toBe(meant));

  it.for(["", "dsa", "totally-other", "e", "a".repeat(65)])("has no idea what %s was meant to be", (word) => {
    expect(nearest(word, KEY_TYPES)).toBeUndefined();
  });

  it("looks only so far into a vocabulary", () => {
    expect(nearest("abcd", ["zzzz", "abcc"], 1)).toBeUndefined();
    expect(nearest("abcd", ["zzzz", "abcc"], 2)).toBe("abcc");
  });
});
