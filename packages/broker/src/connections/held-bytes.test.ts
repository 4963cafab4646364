import { beforeEach, describe, expect, it } from "vitest";
import { HeldBytes, type HeldRequest } from "./held-bytes.js";

const KIB = 1024;

describe("HeldBytes", () => {
  const limits = { maxOpenBytes: 1000 * KIB, maxOpenBytesPerUser: 400 * KIB };
  let all: HeldBytes;
  let refused: string[];
  beforeEach(() => {
    all = new HeldBytes(limits);
    refused = [];
  });

  class Request implements HeldRequest {
    heldBytes = 0;
    readonly connection: ReturnType<HeldBytes["connection"]>;

    constructor(
      readonly name: string,
      uid: number,
      readonly waitsForPeer = true,
    ) {
      this.connection = all.connection(uid);
      expect(this.connection.opened(this)).toBeUndefined();
    }

    hold(bytes: number): void {
      this.heldBytes += bytes;
      this.connection.held(this, bytes);
    }

    refuse(): void {
      refused.push(this.name);
      this.connection.closed(this);
    }
  }

  it("refuses the largest of the user's requests that wait for their peer, never one at work", () => {
    new Request("at work", 1, false).hold(200 * KIB);
    new Request("small", 1).hold(20 * KIB);
    new Request("large", 1).hold(100 * KIB);
    new Request("of another user", 2).hold(300 * KIB);
    new Request("last", 1).hold(80 * KIB);
    expect(refused).toEqual(["large"]);
  });

  it("refuses requests of the user who holds most when all users together hold too much", () => {
    for (const uid of [1, 2, 3]) new Request(`of ${uid}`, uid).hold((250 + uid * 20) * KIB);
    new Request("last", 4).hold(100 * KIB);
    expect(refused).toEqual(["of 3"]);
  });

  it("counts nothing once every request is closed", () => {
    const requests = [1, 1, 2].map((uid) => new Request("one", uid));
    for (const request of requests) request.hold(50 * KIB);
    for (const request of requests) request.connection.closed(request);
    expect(all.bytes).toBe(0);
  });
});
