import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isSocketAddress, isWebUrl } from "./web-address.js";

describe("isSocketAddress", () => {
  it.for(["127.0.0.1:8201", "0.0.0.0:0", "[::1]:8201", "[::]:65535"])("takes %s", (text) =>
    expect(isSocketAddress(text)).toBe(true),
  );
  it.for(["", "127.0.0.1", "localhost:8201", "::1:8201", "[127.0.0.1]:80", "127.0.0.1:65536", "1.2.3:80", "[::1]"])(
    "refuses %j",
    (text) => expect(isSocketAddress(text)).toBe(false),
  );
});

describe("any text", () => {
  it("is an address, a URL or neither, and fails nothing", () => {
    const part = fc.constantFrom("http://", "[", "]", "::1", "127.0.0.1", ":", "80", "@", "#", "/", "host", "%", "\0");
    const texts = fc.array(part, { maxLength: 8 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(fc.oneof(texts, fc.string()), (text) => {
        if (isSocketAddress(text)) expect(URL.canParse(`http://${text}`)).toBe(true);
        if (isWebUrl(text)) expect(new URL(text).protocol).toMatch(/^https?:$/);
      }),
      { numRuns: 3000 },
    );
  });
});

describe("isWebUrl", () => {
  it.for(["https://issuer.example", "http://127.0.0.1:4317/v1", "https://[2001:db8::1]/"])("takes %s", (text) =>
    expect(isWebUrl(text)).toBe(true),
  );
  it.for([
    "",
    "issuer.example",
    "ftp://issuer.example",
    "https://user@issuer.example",
    "https://:pw@issuer.example",
    "https://issuer.example/#part",
    "http://169.254.169.254/latest",
    "http://[fe80::1]/",
    "http://[::ffff:169.254.169.254]/",
    "http://100.100.100.200/",
    "http://metadata.google.internal/",
    "http://METADATA.google.internal./",
  ])("refuses %j", (text) => expect(isWebUrl(text)).toBe(false));
});
