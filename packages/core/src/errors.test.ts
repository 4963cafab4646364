import { describe, expect, it } from "vitest";
import { asBackendError, BackendError, isBackendError } from "./errors.js";
import { keyRef } from "./key-ref.js";

describe("BackendError", () => {
  it("carries its code, details, cause and the backend's request id", () => {
    const cause = new Error("socket hang up");
    const error = new BackendError("UNAVAILABLE", "try again", { retryAfterMs: 5 }, { cause, backendRequestId: "r-1" });
    expect(error).toMatchObject({ name: "BackendError", code: "UNAVAILABLE", details: { retryAfterMs: 5 }, cause });
    expect(error.backendRequestId).toBe("r-1");
    expect(isBackendError(error)).toBe(true);
    expect(new BackendError("CANCELLED", "gone", {})).not.toHaveProperty("cause");
  });
});

describe("asBackendError", () => {
  it("gives a BackendError back as it is", () => {
    const error = new BackendError("CANCELLED", "gone", {});
    expect(asBackendError(error)).toBe(error);
  });

  it.each([
    ["a TypeError", new TypeError("secret"), "TypeError"],
    ["a text", "secret", "string"],
    ["nothing", undefined, "undefined"],
  ])("takes %s for a failure outside the contract, and repeats none of its text", (_, thrown, type) => {
    const error = asBackendError(thrown);
    expect(error).toMatchObject({ code: "PROTOCOL", cause: thrown });
    expect(error.message).toContain(type);
    expect(error.message).not.toContain("secret");
  });
});

describe("asBackendError of what another copy of this package threw", () => {
  /** As the class of a copy makes it: the same shape, another constructor. */
  const foreign = (members: object) =>
    Object.assign(new Error("a key is there"), { name: "BackendError", details: { key: "k" } }, members);

  it("keeps code, details, message and request id, in an error of this copy", () => {
    const thrown = foreign({ code: "KEY_EXISTS", backendRequestId: "r-1" });
    const error = asBackendError(thrown);
    expect(isBackendError(error)).toBe(true);
    expect(error).toMatchObject({ code: "KEY_EXISTS", details: { key: "k" }, backendRequestId: "r-1", cause: thrown });
    expect(error.message).toBe("a key is there");
  });

  it.each([
    ["an unknown code", foreign({ code: "toString" })],
    ["no details", foreign({ code: "KEY_EXISTS", details: undefined })],
    ["no error", { name: "BackendError", code: "KEY_EXISTS", details: {} }],
    [
      "a name that throws",
      Object.defineProperty(new Error("x"), "name", {
        get() {
          throw new Error("secret");
        },
      }),
    ],
    [
      "a proxy that throws",
      new Proxy(new Error("x"), {
        getPrototypeOf() {
          throw new Error("secret");
        },
      }),
    ],
  ])("takes one with %s for a failure outside the contract", (_, thrown) => {
    const error = asBackendError(thrown);
    expect(error.code).toBe("PROTOCOL");
    expect(error.message).not.toContain("secret");
  });
});

describe("keyRef", () => {
  it("has no key of a backend for a value", () => {
    const value = { name: "v", class: "value", backend: "b", engine: "kv2", path: "p", writable: false } as const;
    expect(() => keyRef({ ...value, missing: "error", labels: [], description: "d" })).toThrow(TypeError);
  });
});
