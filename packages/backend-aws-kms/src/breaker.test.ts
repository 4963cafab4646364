import { beforeEach, describe, expect, it } from "vitest";
import { Breaker } from "./breaker.js";

let now = 0;
let breaker: Breaker;
beforeEach(() => {
  now = 0;
  breaker = new Breaker({ failures: 3, sustainedMs: 1000, probeIntervalMs: 500 }, () => now);
});
const fail = (times: number) => {
  for (let i = 0; i < times; i += 1) breaker.failed("a");
};

describe("Breaker", () => {
  it("stays closed through a burst, however many failures it has", () => {
    fail(50);
    expect(breaker.admit("a")).toBe(0);
  });

  it("stays closed through few failures, however long they last", () => {
    fail(1);
    now = 60_000;
    fail(1);
    expect(breaker.admit("a")).toBe(0);
  });

  it("opens when failures in a row last, and says how long to wait", () => {
    fail(2);
    now = 1000;
    expect(breaker.failed("a")).toBe(true);
    now = 1100;
    expect(breaker.admit("a")).toBe(400);
    expect(breaker.open).toBe(1);
  });

  it("starts counting again after a success", () => {
    fail(2);
    now = 1000;
    expect(breaker.succeeded("a")).toBe(false);
    fail(3);
    expect(breaker.admit("a")).toBe(0);
  });

  it("lets one call through each interval while it is open", () => {
    fail(2);
    now = 1000;
    fail(1);
    now = 1500;
    expect(breaker.admit("a")).toBe(0);
    expect(breaker.admit("a")).toBe(500);
    expect(breaker.failed("a")).toBe(false);
    now = 2000;
    expect(breaker.admit("a")).toBe(0);
  });

  it("closes on the first success, and says so once", () => {
    fail(2);
    now = 1000;
    fail(1);
    expect(breaker.succeeded("a")).toBe(true);
    expect(breaker.succeeded("a")).toBe(false);
    expect(breaker.admit("a")).toBe(0);
    expect(breaker.open).toBe(0);
  });

  it("keeps scopes apart", () => {
    fail(2);
    now = 1000;
    fail(1);
    expect(breaker.admit("a")).toBeGreaterThan(0);
    expect(breaker.admit("b")).toBe(0);
    breaker.succeeded("b");
    expect(breaker.admit("a")).toBeGreaterThan(0);
  });
});
