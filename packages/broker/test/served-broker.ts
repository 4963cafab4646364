import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Broker, BrokerOptions } from "../src/broker.js";
import type { Listener } from "../src/connections/listener.js";
import { SocketClient } from "./socket-client.js";
import { testBroker } from "./test-broker.js";

/** A broker that serves at a socket in a folder of its own, and a client of it. */
export interface ServedBroker extends AsyncDisposable {
  readonly broker: Broker;
  readonly listener: Listener;
  readonly folder: string;
  /** Of the socket. */
  readonly path: string;
  readonly client: SocketClient;
}

export async function serveTestBroker(options: Partial<BrokerOptions> = {}): Promise<ServedBroker> {
  const broker = await testBroker(options);
  const folder = await mkdtemp(join(tmpdir(), "basil-broker-"));
  const path = join(folder, "s");
  const listener = await broker.listen({ path });
  const client = new SocketClient(path);
  return {
    broker,
    listener,
    folder,
    path,
    client,
    async [Symbol.asyncDispose]() {
      client.grpc.close();
      await broker.close(0);
      await rm(folder, { recursive: true });
    },
  };
}
