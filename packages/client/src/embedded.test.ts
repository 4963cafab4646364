import { SignResponseSchema } from "@basil/proto";
import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { connectEmbedded, type EmbeddedBroker } from "./embedded.js";
import type { CallOptions } from "./transport.js";

interface Seen {
  /** Some time after the call began. */
  readonly message: Uint8Array;
  readonly request: { readonly message: Uint8Array };
  readonly options: CallOptions;
}

/** Signs everything alike, and keeps what it was asked. */
function recording(): { broker: EmbeddedBroker; seen: Seen[] } {
  const seen: Seen[] = [];
  const broker: EmbeddedBroker = {
    async unary<Request, Response>(_: unknown, request: Request, options: CallOptions): Promise<Response> {
      const { message } = request as unknown as Seen["request"];
      await new Promise(setImmediate);
      seen.push({ message: Uint8Array.from(message), request: { message }, options });
      return create(SignResponseSchema, { signature: Uint8Array.of(1) }) as Response;
    },
    serverStream: () => ReadableStream.from([]),
    async [Symbol.asyncDispose]() {},
  };
  return { broker, seen };
}

describe("connectEmbedded", () => {
  it("gives the broker bytes of its own: what the caller writes over them later does not reach it", async () => {
    const { broker, seen } = recording();
    const message = Uint8Array.of(1, 2, 3);
    const call = connectEmbedded(broker).sign("k", message);
    message.fill(0);
    await call;
    expect(seen[0]?.message).toEqual(Uint8Array.of(1, 2, 3));
  });

  it("zeroes those bytes once they are answered, and not the caller's", async () => {
    const { broker, seen } = recording();
    const plaintext = Uint8Array.of(1, 2, 3);
    await connectEmbedded(broker).sign("k", plaintext);
    expect(seen[0]?.request.message).toEqual(new Uint8Array(3));
    expect(plaintext).toEqual(Uint8Array.of(1, 2, 3));
  });

  it("refuses a wrong argument before the broker is asked", async () => {
    const { broker, seen } = recording();
    const client = connectEmbedded(broker);
    await expect(client.sign("k", "text" as never)).rejects.toThrow(TypeError);
    await expect(client.sign("k", Uint8Array.of(1), { timeoutMs: "5" as never })).rejects.toThrow(TypeError);
    await expect(client.listCatalog({ timeoutMs: -1 })).rejects.toThrow(TypeError);
    expect(() => connectEmbedded(broker, { timeoutMs: 0 })).toThrow(TypeError);
    expect(seen).toEqual([]);
  });

  it.for([
    ["its own limit", 7, 7],
    ["the client's without one", undefined, 50],
    ["none for one that no timer can hold", 3_000_000_000, Number.POSITIVE_INFINITY],
  ] as const)("gives a call %s", async ([, timeoutMs, limit]) => {
    const { broker, seen } = recording();
    await connectEmbedded(broker, { timeoutMs: 50 }).sign("k", Uint8Array.of(1), { timeoutMs } as CallOptions);
    expect(seen[0]?.options.timeoutMs).toBe(limit);
  });
});
