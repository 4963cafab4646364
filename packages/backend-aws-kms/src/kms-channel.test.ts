import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { KeyRef } from "@basil/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { context } from "../test/call-context.js";
import { FakeKms } from "../test/fake-kms.js";
import { recordingLogger } from "../test/recording-logger.js";
import { awsKmsOver } from "./backend.js";
import { KMS_CHANNEL } from "./kms-channel.js";

const key: KeyRef = { name: "k", path: "alias/k", keyType: "ed25519" };
const heard: unknown[] = [];
const listen = (message: unknown) => void heard.push(message);
beforeEach(() => {
  heard.length = 0;
  subscribe(KMS_CHANNEL, listen);
});
afterEach(() => void unsubscribe(KMS_CHANNEL, listen));

describe("the diagnostics channel", () => {
  it("has every event of a backend, with its id, without an observer", async () => {
    const kms = new FakeKms();
    const first = kms.create("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", "alias/k");
    const other = kms.create("ECC_NIST_EDWARDS25519", "SIGN_VERIFY");
    const { transit } = awsKmsOver(kms, { id: "main" });
    const { backendRequestId } = (await transit?.sign(key, new Uint8Array(1), context())) ?? {};
    kms.aliases.set("alias/k", other.id);
    await transit?.sign(key, new Uint8Array(1), context());
    expect(heard).toContainEqual(
      expect.objectContaining({
        backend: "main",
        event: "call",
        action: "Sign",
        outcome: "ok",
        requestId: backendRequestId,
      }),
    );
    expect(heard).toContainEqual({
      backend: "main",
      event: "drift",
      key: "k",
      path: "alias/k",
      expectedArn: first.arn,
      arn: other.arn,
    });
  });

  it("outlives an observer that throws", async () => {
    const kms = new FakeKms();
    kms.create("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", "alias/k");
    const logger = recordingLogger();
    const observer = {
      onCall() {
        throw new Error("no");
      },
    };
    const { transit } = awsKmsOver(kms, { observer, logger });
    await expect(transit?.sign(key, new Uint8Array(1), context())).resolves.toMatchObject({ keyVersion: 1 });
    expect(logger.lines).toContainEqual(expect.objectContaining({ level: "warn" }));
    expect(heard.length).toBeGreaterThan(0);
  });
});
