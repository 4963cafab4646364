import { createPublicKey } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isBackendError } from "./errors.js";
import { jwkToSpki, spkiToJwk } from "./public-key-jwk.js";
import { pemToSpki, spkiToPem } from "./public-key-pem.js";
import { spkiToSsh, sshToSpki } from "./public-key-ssh.js";

/** Public keys written by `ssh-keygen -t … -C "basil test"` and, as PEM, by `ssh-keygen -e -m PKCS8` (OpenSSH 9). */
const KEYS = [
  {
    keyType: "ecdsa-p256",
    alg: "ES256",
    ssh: "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBLJ2+LfDcCY1prpEmoD1TgLuSp6ZhZLhdFkb3A1NgHdq7SsjEIylEOBelaRWo7e4bJG0sFbMC5xkENJig3PEZ1w= basil test",
    pem: "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEsnb4t8NwJjWmukSagPVOAu5KnpmF\nkuF0WRvcDU2Ad2rtKyMQjKUQ4F6VpFajt7hskbSwVswLnGQQ0mKDc8RnXA==",
  },
  {
    keyType: "ecdsa-p384",
    alg: "ES384",
    ssh: "ecdsa-sha2-nistp384 AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABhBK5/mZiciW+sAviwVsI2sYjfYjdYE0UfO7+gfV8wQST3xhTnP5rjzPLUKQsP4RTfGKInmByOQT0fpEITuRZ/AFWAHE7EiV2EvUIdJhc464wbpdCT9tSSFTb2lqQ48VYpQA== basil test",
    pem: "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAErn+ZmJyJb6wC+LBWwjaxiN9iN1gTRR87\nv6B9XzBBJPfGFOc/muPM8tQpCw/hFN8YoieYHI5BPR+kQhO5Fn8AVYAcTsSJXYS9\nQh0mFzjrjBul0JP21JIVNvaWpDjxVilA",
  },
  {
    keyType: "ecdsa-p521",
    alg: "ES512",
    ssh: "ecdsa-sha2-nistp521 AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBAB1qKK58WXUACV45pTTGXINH/rTapHtBKcR58qtY/Dm+FKNAzQ+HBTkdCJWQ4/Cllknzs04mP04ztExdsC9H5ZKFwFPSjq/Z+EtoB9WN8RDa6oTs/RqHQwid0iBR/IyCfNK2c3kjn/SuNUKiiSxHGVZPou3Ax15SBqjva1yHPc71NH8IA== basil test",
    pem: "MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQAdaiiufFl1AAleOaU0xlyDR/602qR\n7QSnEefKrWPw5vhSjQM0PhwU5HQiVkOPwpZZJ87NOJj9OM7RMXbAvR+WShcBT0o6\nv2fhLaAfVjfEQ2uqE7P0ah0MIndIgUfyMgnzStnN5I5/0rjVCooksRxlWT6LtwMd\neUgao72tchz3O9TR/CA=",
  },
  {
    keyType: "ed25519",
    alg: "EdDSA",
    ssh: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICyan/y2/lqaWXX2hiPyuN1wi7qm7E6tJoubvN8EaQB9 basil test",
    pem: "MCowBQYDK2VwAyEALJqf/Lb+WppZdfaGI/K43XCLuqbsTq0mi5u83wRpAH0=",
  },
] as const;

describe.each(KEYS)("public key formats, $keyType", ({ keyType, alg, ssh, pem }) => {
  const spki = Uint8Array.from(Buffer.from(pem, "base64"));
  const text = `-----BEGIN PUBLIC KEY-----\n${pem}\n-----END PUBLIC KEY-----\n`;

  it("writes the PEM that node:crypto writes, and reads it back", () => {
    expect(spkiToPem(spki)).toBe(text);
    expect(spkiToPem(spki)).toBe(createPublicKey(text).export({ type: "spki", format: "pem" }));
    expect(pemToSpki(text)).toEqual(spki);
    expect(pemToSpki(` ${text.replaceAll("\n", "\r\n")}\n`)).toEqual(spki);
  });

  it("writes the JWK that node:crypto writes, with its alg", () => {
    expect(spkiToJwk(spki, keyType)).toEqual({ ...createPublicKey(text).export({ format: "jwk" }), alg });
    expect(jwkToSpki(createPublicKey(text).export({ format: "jwk" }))).toEqual(spki);
  });

  it("writes the line that ssh-keygen writes", () => {
    expect(spkiToSsh(spki, keyType, "basil test")).toBe(ssh);
    expect(spkiToSsh(spki, keyType)).toBe(ssh.slice(0, -" basil test".length));
    expect(spkiToSsh(spki, keyType, "")).toBe(ssh.slice(0, -" basil test".length));
    expect(sshToSpki(`${ssh}\n`)).toEqual(spki);
  });

  it("refuses a key of another type", () => {
    const other = keyType === "ed25519" ? "ecdsa-p256" : "ed25519";
    const refused = expect.objectContaining({ code: "PUBLIC_KEY_MALFORMED" });
    expect(() => spkiToJwk(spki, other)).toThrow(refused);
    expect(() => spkiToSsh(spki, other)).toThrow(refused);
  });
});

describe("spkiToSsh", () => {
  it("refuses a comment that would be a second line", () => {
    const spki = Uint8Array.from(Buffer.from(KEYS[3].pem, "base64"));
    expect(() => spkiToSsh(spki, "ed25519", "a\nssh-ed25519 AAAA")).toThrow(TypeError);
  });
});

describe("sshToSpki", () => {
  const [type, blob] = KEYS[3].ssh.split(" ") as [string, string];

  it.each([
    ["an empty text", ""],
    ["a type alone", type],
    ["another type before it", `ecdsa-sha2-nistp256 ${blob}`],
    ["a character that is not base64", `${type} ${blob.replace("AAAA", "AA*A")}`],
    ["a cut blob", `${type} ${blob.slice(0, -4)}`],
    ["bytes behind it", `${type} ${blob.replace(/=*$/, "")}AAAA`],
    ["a second line", `${type} ${blob} x\n${type} ${blob} y`],
    ["options before it", `restrict ${type} ${blob}`],
  ])("refuses %s", (_, line) => {
    expect(() => sshToSpki(line)).toThrow(expect.objectContaining({ code: "PUBLIC_KEY_MALFORMED" }));
  });

  it("refuses whatever else by a code", () => {
    fc.assert(
      fc.property(fc.string(), fc.uint8Array({ maxLength: 100 }), (before, bytes) => {
        try {
          sshToSpki(`${before} ${Buffer.from(bytes).toString("base64")}`);
        } catch (error) {
          expect(isBackendError(error)).toBe(true);
        }
      }),
    );
  });
});

describe("jwkToSpki", () => {
  const jwk = { kty: "OKP", crv: "Ed25519", x: "LJqf_Lb-WplZdfaGI_K43XCLuqbsTq0mi5u83wRpAH0" };
  const point = { kty: "EC", crv: "P-256", x: "A".repeat(43), y: "A".repeat(43) };

  it.each([
    ["null", null],
    ["a text", "jwk"],
    ["nothing in it", {}],
    ["another curve", { ...jwk, crv: "X25519" }],
    ["another type of key", { ...jwk, kty: "EC" }],
    ["a private key", { ...jwk, d: jwk.x }],
    ["a short x", { ...jwk, x: jwk.x.slice(0, -4) }],
    ["base64 in place of base64url", { ...jwk, x: jwk.x.replace("_", "/") }],
    ["an x that is no text", { ...jwk, x: 1 }],
    ["no y", { ...point, y: undefined }],
    ["a point off the curve", point],
  ])("refuses %s", (_, value) => {
    expect(() => jwkToSpki(value)).toThrow(expect.objectContaining({ code: "PUBLIC_KEY_MALFORMED" }));
  });

  it("refuses whatever else by its code", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(() => jwkToSpki(value)).toThrow(expect.objectContaining({ code: "PUBLIC_KEY_MALFORMED" }));
      }),
    );
  });
});

describe("pemToSpki", () => {
  const text = `-----BEGIN PUBLIC KEY-----\n${KEYS[3].pem}\n-----END PUBLIC KEY-----\n`;
  const refused = expect.objectContaining({ code: "PUBLIC_KEY_MALFORMED" });

  it.each([
    ["an empty text", ""],
    ["another label", text.replaceAll("PUBLIC", "PRIVATE")],
    ["no end", text.replace("-----END PUBLIC KEY-----", "")],
    ["two blocks", text + text],
    ["text before the block", `key:\n${text}`],
    ["an empty block", "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----"],
    ["a character that is not base64", text.replace("MCow", "M*ow")],
    ["padding in the middle", text.replace("MCow", "MC==")],
    ["base64url", text.replaceAll("+", "-").replaceAll("/", "_")],
    ["overlapping boundaries", "-----BEGIN PUBLIC KEY-----END PUBLIC KEY-----"],
  ])("refuses %s", (_, pem) => {
    expect(() => pemToSpki(pem)).toThrow(refused);
  });

  it("reads back whatever bytes it is given, and refuses any other text by its code", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (der) => {
        expect(pemToSpki(spkiToPem(der))).toEqual(der);
      }),
    );
    fc.assert(
      fc.property(fc.string({ maxLength: 100 }), (body) => {
        try {
          pemToSpki(`-----BEGIN PUBLIC KEY-----${body}-----END PUBLIC KEY-----`);
        } catch (error) {
          expect(isBackendError(error) && error.code).toBe("PUBLIC_KEY_MALFORMED");
        }
      }),
    );
  });
});
