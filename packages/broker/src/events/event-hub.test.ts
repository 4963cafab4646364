import { EventKind } from "@basil/proto";
import { describe, expect, it } from "vitest";
import { EventHub, MAX_BEHIND } from "./event-hub.js";

const rotated = (newVersion: number) => ({ case: "keyRotated", value: { keyId: "k", newVersion } }) as const;

async function read(stream: AsyncIterable<{ detail: { value?: unknown } }>): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const { detail } of stream) values.push(detail.value);
  return values;
}

describe("EventHub", () => {
  it("hands events to those who want them, in order, from when they asked", async () => {
    const hub = new EventHub();
    hub.publish(rotated(1));
    const all = hub.subscribe(() => true);
    const revocations = hub.subscribe(({ kind }) => kind === EventKind.REVOKED);
    hub.publish(rotated(2));
    hub.publish({ case: "revoked", value: { trustDomain: "d", id: "j" } });
    hub.close();
    expect(await read(all)).toMatchObject([{ newVersion: 2 }, { id: "j" }]);
    expect(await read(revocations)).toMatchObject([{ id: "j" }]);
  });

  it("wakes a reader that waits", async () => {
    const hub = new EventHub();
    const [first] = [hub.subscribe(() => true)[Symbol.asyncIterator]()];
    const next = first?.next();
    hub.publish(rotated(7));
    expect((await next)?.value.detail.value).toMatchObject({ newVersion: 7 });
  });

  it("ends a reader that fell behind with DATA_LOSS, after what it was owed", async () => {
    const hub = new EventHub();
    const slow = hub.subscribe(() => true);
    for (let n = 0; n <= MAX_BEHIND; n++) hub.publish(rotated(n));
    const seen: unknown[] = [];
    const reading = (async () => {
      for await (const event of slow) seen.push(event);
    })();
    await expect(reading).rejects.toMatchObject({ code: "DATA_LOSS" });
    expect(seen.length).toBe(MAX_BEHIND);
  });

  it("ends streams that are asked for after it closed", async () => {
    const hub = new EventHub();
    hub.close();
    expect(await read(hub.subscribe(() => true))).toEqual([]);
  });
});
