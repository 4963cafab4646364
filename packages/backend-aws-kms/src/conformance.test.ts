import { testBackend } from "@basil/backend-conformance/vitest";
import type { Backend } from "@basil/core";
import { afterAll, beforeAll, vi } from "vitest";
import { emulated, useProfiles } from "../test/emulated.js";
import type { AwsKmsOptions } from "./options.js";

beforeAll(useProfiles);
afterAll(() => vi.unstubAllEnvs());

/** A backend on a KMS of its own, which ends with it. */
async function create(options: Partial<AwsKmsOptions>): Promise<Backend> {
  const test = await emulated({ keys: [] });
  return { ...test.open("admin", options), [Symbol.asyncDispose]: () => test[Symbol.asyncDispose]() };
}

const path = (name: string) => `alias/basil/${name}`;

testBackend("aws-kms", () => create({}), { path });
testBackend("aws-kms over the AWS SDK's wire", () => create({ wire: "sdk" }), { path });
testBackend("aws-kms with rotation and local verification", () => create({ rotation: true, verify: "local" }), {
  path,
});
