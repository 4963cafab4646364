import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ageSlot, isBundleError } from "./index.js";

const IDENTITY = "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQS6ZLGKT";
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const problemOf = (identities: Uint8Array): string => {
  try {
    ageSlot({ identities, program: "/nonexistent/age" });
    return "accepted";
  } catch (error) {
    if (!isBundleError(error)) throw error;
    return `${error.code}: ${error.message}`;
  }
};

describe("age identity file", () => {
  it.each([
    ["UTF-16LE", Buffer.from(`\ufeff${IDENTITY}\n`, "utf16le")],
    ["UTF-16LE", Buffer.from(`${IDENTITY}\n`, "utf16le")],
    ["UTF-16BE", Buffer.from(`\ufeff${IDENTITY}\n`, "utf16le").swap16()],
    ["UTF-8 with a byte order mark", utf8(`\ufeff${IDENTITY}\n`)],
    ["an unknown encoding", Uint8Array.of(0x41, 0xff, 0x80)],
  ])("is refused by line and encoding when it is %s", (encoding, bytes) => {
    expect(problemOf(bytes)).toMatch(new RegExp(`^KEY_INVALID: line 1 .* ${encoding}`));
  });

  it.each([
    ["lower case", IDENTITY.toLowerCase(), "in upper case"],
    ["a shell assignment", `export X=${IDENTITY}`, "remove what stands before"],
    ["other text", "hello", "begins with none of AGE-SECRET-KEY-, AGE-PLUGIN-, -----BEGIN"],
  ])("is refused by its line when an identity is %s, and no program starts", (_what, text, remedy) => {
    const problem = problemOf(utf8(`# created: today\n\n${text}\n`));
    expect(problem).toMatch(/^KEY_INVALID: line 3 /);
    expect(problem).toContain(remedy);
    expect(problem).not.toContain(text);
  });

  it("is accepted with a plugin's identity or an SSH key, which the age program opens", () => {
    expect(problemOf(utf8("AGE-PLUGIN-YUBIKEY-1QQQQ\n"))).toBe("accepted");
    expect(problemOf(utf8("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blbg==\n-----END OPENSSH PRIVATE KEY-----\n"))).toBe(
      "accepted",
    );
  });

  it("is accepted or refused as KEY_INVALID, whatever its bytes are", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(problemOf(bytes)).toMatch(/^KEY_INVALID: |^accepted$/);
      }),
    );
  });
});
