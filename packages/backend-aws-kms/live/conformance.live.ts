import { randomUUID } from "node:crypto";
import { KMSClient } from "@aws-sdk/client-kms";
import { testBackend } from "@basil/backend-conformance/vitest";
import type { CallContext, KeyRef } from "@basil/core";
import { afterAll } from "vitest";
import { awsKms } from "../src/index.js";
import { cleanUp } from "./clean-up.js";

if (process.env.BASIL_AWS_KMS_LIVE !== "1") {
  throw new Error(
    "this creates keys in the AWS account of your credentials, which cost money: set BASIL_AWS_KMS_LIVE=1",
  );
}

const region = process.env.AWS_REGION ?? "us-east-1";
const runId = randomUUID();
const prefix = `alias/basil/live-${runId}/`;
const backend = awsKms({ region, runId, rotation: true, propagationTimeoutMs: 60_000 });
console.info(
  `region ${region}; every key has "run ${runId}" at the end of its Description, every alias begins with ${prefix}`,
);

/** Two standing keys a key type, so that a run makes few. */
const standing = new Map<string, Promise<KeyRef>>();

function provision(key: KeyRef, slot: string, context: CallContext): Promise<KeyRef> {
  const path = `${prefix}standing-${key.keyType}-${slot}`;
  const made = standing.get(path) ?? create({ ...key, path }, context);
  standing.set(path, made);
  return made;
}

async function create(key: KeyRef, context: CallContext): Promise<KeyRef> {
  await backend.transit?.createKey(key, context);
  return key;
}

testBackend("aws-kms, live", async () => backend, {
  shared: true,
  abortMs: 10_000,
  path: (name) => prefix + name,
  provision: (_, key, slot, context) => provision(key, slot, context),
});

afterAll(async () => {
  await backend[Symbol.asyncDispose]();
  await cleanUp(new KMSClient({ region }), runId, prefix);
});
