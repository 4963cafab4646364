import { type Broker, type BrokerOptions, createBroker } from "../src/broker.js";
import { testCatalog, testPolicy } from "./documents.js";
import { memoryBackend } from "./memory-backend.js";

/** A broker of the documents for tests and a backend in memory; what `options` give takes their place. */
export function testBroker(options: Partial<BrokerOptions> = {}): Promise<Broker> {
  return createBroker({ catalog: testCatalog(), policy: testPolicy(), backends: [memoryBackend()], ...options });
}
