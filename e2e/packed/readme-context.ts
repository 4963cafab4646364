/** What the fragments of a README take for granted, by package: the imports and values that its prose names. */
export const context: Readonly<Record<string, string>> = {
  root: `
    import type { BrokerOptions } from "@basil/broker";
    declare const { catalog, policy }: BrokerOptions;
    declare const identity: Parameters<import("@basil/broker").Broker["as"]>[0];`,
  "aws-kms-emulator": `
    import type { KmsEmulator } from "@basil/aws-kms-emulator";
    declare const kms: KmsEmulator;`,
  "backend-conformance": `
    import { type CreateBackend, conformanceCases } from "@basil/backend-conformance";
    import { test } from "vitest";
    declare const create: CreateBackend;`,
  broker: `
    import { type Broker, type BrokerOptions, createBroker, documentFiles, type Logger, openAuditFile } from "@basil/broker";
    declare const broker: Broker;
    declare const options: BrokerOptions;
    const { catalog, policy, backends } = options;
    declare const logger: Logger;`,
  bundle: `
    import type { SlotContext, SlotStanza } from "@basil/bundle";`,
  client: `
    import { createReadStream, createWriteStream } from "node:fs";
    import { pipeline } from "node:stream/promises";
    import { type Client, createSigner, openStream, publicJwks, sealStream, signJwt } from "@basil/client";
    declare const broker: Client;
    declare const plaintext: Uint8Array, aad: Uint8Array;
    declare function use(bytes: Uint8Array): void;`,
};
