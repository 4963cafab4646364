import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

export interface ReceivedRequest {
  readonly action: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Readonly<Record<string, unknown>>;
}
export type Answer = (response: ServerResponse, request: ReceivedRequest) => unknown;

/** An HTTP endpoint that answers each request with the next of its script, and the last one for good. */
export async function scriptedServer(...script: [Answer, ...Answer[]]) {
  const requests: ReceivedRequest[] = [];
  const sockets = new Set<Socket>();
  let dropped = 0;
  let remaining: readonly Answer[] = script;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.on("close", () => {
      if (!response.writableFinished) dropped += 1;
    });
    request.on("end", () => {
      const received = {
        action: String(request.headers["x-amz-target"]).replace("TrentService.", ""),
        headers: request.headers,
        body: JSON.parse(Buffer.concat(chunks).toString() || "{}") as Record<string, unknown>,
      };
      requests.push(received);
      const [next, ...rest] = remaining;
      if (rest.length > 0) remaining = rest;
      next?.(response, received);
    });
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    /** Answers that could not be finished because the client had left. */
    get dropped() {
      return dropped;
    },
    /** Connections open now. */
    get connections() {
      return sockets.size;
    },
    script(...next: [Answer, ...Answer[]]) {
      remaining = next;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const JSON_1_1 = {
  "content-type": "application/x-amz-json-1.1",
  "x-amzn-requestid": "11111111-2222-3333-4444-555555555555",
};

export const ok =
  (body: object): Answer =>
  (response) => {
    const text = JSON.stringify(body);
    response.writeHead(200, { ...JSON_1_1, "content-length": Buffer.byteLength(text) }).end(text);
  };

export const fault =
  (name: string, status = 400, message = "why"): Answer =>
  (response) =>
    response.writeHead(status, JSON_1_1).end(JSON.stringify({ __type: name, message }));

export const hang: Answer = () => {};

export const reset: Answer = (response) => response.socket?.resetAndDestroy();

/** Half an answer, then the end of the connection. */
export const cut: Answer = (response) => {
  response.writeHead(200, { ...JSON_1_1, "content-length": 1000 }).write('{"KeyId":"arn');
  setImmediate(() => response.socket?.destroy());
};

export const garbage: Answer = (response) => response.socket?.end("not HTTP at all\r\n\r\n");
