import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { UndiciRequestHandler } from "./request-handler.js";

describe("UndiciRequestHandler", () => {
  it("offers HTTP/1.1 and nothing else, for its errors and its metadata are of that", async () => {
    const hello = Promise.withResolvers<Buffer>();
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", (bytes) => {
        hello.resolve(bytes);
        socket.destroy();
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const handler = new UndiciRequestHandler({ connectTimeoutMs: 2000, attemptTimeoutMs: 2000, connections: 1 });
    const { port } = server.address() as AddressInfo;
    const request = { protocol: "https:", hostname: "127.0.0.1", port, method: "POST", path: "/", headers: {} };
    await expect(handler.handle(request)).rejects.toThrow();
    // RFC 7301 §3.1: extension 16, its length, the list's length, then each protocol behind its own.
    const offer = Buffer.concat([Buffer.from([0, 16, 0, 11, 0, 9, 8]), Buffer.from("http/1.1")]);
    expect((await hello.promise).includes(offer)).toBe(true);
    handler.close();
    server.close();
  });
});
