import {
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  KMSClient,
  ListKeysCommand,
  ReEncryptCommand,
  UpdateAliasCommand,
} from "@aws-sdk/client-kms";
import { describe, expect, it } from "vitest";
import { type FaultRule, type KmsEmulator, type KmsEmulatorOptions, startKmsEmulator } from "./index.js";

function clientOf(emulator: KmsEmulator, maxAttempts = 1): KMSClient {
  const { endpoint, region, rootCredentials: credentials } = emulator;
  return new KMSClient({ endpoint, region, credentials, maxAttempts });
}

const listKeys = new ListKeysCommand({});
const outcome = (call: Promise<unknown>) =>
  call.then(
    () => "ok",
    (error: Error & { code?: string }) => error.code ?? error.name,
  );

async function outcomes(options: KmsEmulatorOptions, count: number): Promise<string[]> {
  await using emulator = await startKmsEmulator(options);
  const client = clientOf(emulator);
  const found: string[] = [];
  for (let i = 0; i < count; i += 1) found.push(await outcome(client.send(listKeys)));
  client.destroy();
  return found;
}

describe("faults", () => {
  it.for([
    [{ kind: "throttle" }, "ThrottlingException"],
    [{ kind: "error" }, "KMSInternalException"],
    [{ kind: "error", status: 503, code: "DependencyTimeoutException" }, "DependencyTimeoutException"],
    [{ kind: "reset" }, "ECONNRESET"],
    [{ kind: "truncate" }, "ECONNRESET"],
  ] as const)("%j reaches the SDK as %s, once, and the next call succeeds", async ([fault, expected]) => {
    expect(await outcomes({ faults: [{ fault }] }, 2)).toEqual([expected, "ok"]);
  });

  it("are followed line by line: skipped, then hit so often, then over", async () => {
    const faults: FaultRule[] = [
      { fault: { kind: "throttle" }, skip: 1, times: 2 },
      { fault: { kind: "error" }, operation: ["Sign", "Verify"] },
    ];
    expect(await outcomes({ faults }, 4)).toEqual(["ok", "ThrottlingException", "ThrottlingException", "ok"]);
  });

  it("hit by chance in the same places for the same seed", async () => {
    const faults: FaultRule[] = [{ fault: { kind: "throttle" }, probability: 0.5, times: Number.POSITIVE_INFINITY }];
    const [first, second, other] = [
      await outcomes({ faults, seed: 7 }, 20),
      await outcomes({ faults, seed: 7 }, 20),
      await outcomes({ faults, seed: 8 }, 20),
    ];
    expect(first).toEqual(second);
    expect(first).not.toEqual(other);
    expect(new Set(first)).toEqual(new Set(["ok", "ThrottlingException"]));
  });

  it("aim at one principal, sessions of a role included", async () => {
    await using emulator = await startKmsEmulator();
    const everything = { Version: "2012-10-17", Statement: { Effect: "Allow", Action: "kms:*", Resource: "*" } };
    const role = emulator.principals.createRole({ name: "worker", policies: [everything] });
    emulator.faults.add({ fault: { kind: "throttle" }, principal: role.arn });
    const client = clientOf(emulator);
    expect(await outcome(client.send(listKeys))).toBe("ok");
    const worker = new KMSClient({
      endpoint: emulator.endpoint,
      region: "us-east-1",
      maxAttempts: 1,
      credentials: emulator.principals.issueSession("worker"),
    });
    expect(await outcome(worker.send(listKeys))).toBe("ThrottlingException");
    expect(emulator.faults.pending).toEqual([]);
  });

  it("can let the operation happen before its answer is lost", async () => {
    await using emulator = await startKmsEmulator({ faults: [{ fault: { kind: "reset", applies: true } }] });
    const client = clientOf(emulator, 2);
    await client.send(new CreateKeyCommand({}));
    expect(emulator.keys.list()).toHaveLength(2);
    expect(emulator.calls).toMatchObject([
      { fault: "reset", status: 0 },
      { fault: undefined, status: 200 },
    ]);
  });

  it("hang until the caller gives up", async () => {
    await using emulator = await startKmsEmulator({ faults: [{ fault: { kind: "hang" } }] });
    const client = clientOf(emulator);
    const call = client.send(listKeys, { abortSignal: AbortSignal.timeout(50) });
    expect(await outcome(call)).toBe("AbortError");
    expect(await outcome(client.send(listKeys))).toBe("ok");
  });

  it("send a wrong Date", async () => {
    await using emulator = await startKmsEmulator({ faults: [{ fault: { kind: "date", offsetMs: 3_600_000 } }] });
    const { headers } = await fetch(emulator.endpoint, {
      method: "POST",
      headers: { "x-amz-target": "TrentService.ListKeys" },
    });
    expect(Date.parse(headers.get("date") ?? "") - emulator.clock.now()).toBeGreaterThan(3_500_000);
  });

  it("reach a client without a socket in the same form", async () => {
    await using emulator = await startKmsEmulator({
      faults: [{ fault: { kind: "reset" } }, { fault: { kind: "truncate" } }, { fault: { kind: "hang" } }],
    });
    const credentials = emulator.rootCredentials;
    const client = new KMSClient({
      requestHandler: emulator.requestHandler,
      region: "us-east-1",
      maxAttempts: 1,
      credentials,
    });
    expect(await outcome(client.send(listKeys))).toBe("ECONNRESET");
    expect(await outcome(client.send(listKeys))).toBe("ECONNRESET");
    expect(await outcome(client.send(listKeys, { abortSignal: AbortSignal.timeout(20) }))).toBe("AbortError");
    expect(await outcome(client.send(listKeys))).toBe("ok");
  });

  it("make an answer wait", async () => {
    await using emulator = await startKmsEmulator({
      faults: [{ fault: { kind: "latency", ms: 300 } }],
      latencyMs: { min: 1, max: 2 },
    });
    const client = clientOf(emulator);
    const order: string[] = [];
    const slow = client.send(listKeys).then(() => order.push("slow"));
    while (emulator.faults.pending.length > 0) await new Promise((resolve) => setImmediate(resolve));
    await client.send(listKeys).then(() => order.push("quick"));
    await slow;
    expect(order).toEqual(["quick", "slow"]);
  });

  it("are gone once cleared", async () => {
    await using emulator = await startKmsEmulator({
      faults: [{ fault: { kind: "throttle" }, times: Number.POSITIVE_INFINITY }],
    });
    const client = clientOf(emulator);
    expect(await outcome(client.send(listKeys))).toBe("ThrottlingException");
    emulator.faults.clear();
    expect(await outcome(client.send(listKeys))).toBe("ok");
  });

  it.for([
    [{ fault: { kind: "explode" } }, "faults[0].fault.kind"],
    [{ fault: { kind: "throttle" }, times: 0 }, "faults[0].times"],
    [{ fault: { kind: "throttle" }, skip: -1 }, "faults[0].skip"],
    [{ fault: { kind: "throttle" }, probability: 2 }, "faults[0].probability"],
    [{ fault: { kind: "error", status: 200 } }, "faults[0].fault.status"],
    [{ fault: { kind: "latency", ms: -1 } }, "faults[0].fault.ms"],
    [{ fault: { kind: "truncate", bytes: -1 } }, "faults[0].fault.bytes"],
  ] as const)("refuse %j and name the place", async ([rule, path]) => {
    await expect(startKmsEmulator({ faults: [rule as FaultRule] })).rejects.toMatchObject({
      code: "OPTION_INVALID",
      details: { path },
    });
  });
});

describe("request quotas", () => {
  it("throttle what is over the limit of a class within a second, and serve again in the next", async () => {
    let now = Math.floor(Date.now() / 1000) * 1000;
    await using emulator = await startKmsEmulator({ now: () => now, quotas: { ListKeys: 2 } });
    const client = clientOf(emulator);
    const three = async () => [
      await outcome(client.send(listKeys)),
      await outcome(client.send(listKeys)),
      await outcome(client.send(listKeys)),
    ];
    expect(await three()).toEqual(["ok", "ok", "ThrottlingException"]);
    now += 1000;
    expect(await three()).toEqual(["ok", "ok", "ThrottlingException"]);
    expect(emulator.calls.at(-1)).toMatchObject({ errorCode: "ThrottlingException", errorMessage: "Rate exceeded" });
  });

  it("have the service's defaults", async () => {
    const now = Math.floor(Date.now() / 1000) * 1000;
    await using emulator = await startKmsEmulator({ now: () => now, quotas: true });
    const client = clientOf(emulator);
    for (let i = 0; i < 5; i += 1) await client.send(new CreateKeyCommand({}));
    expect(await outcome(client.send(new CreateKeyCommand({})))).toBe("ThrottlingException");
  });

  it("throttle a decryption that names no key, too, in their own words", async () => {
    const now = Math.floor(Date.now() / 1000) * 1000;
    await using emulator = await startKmsEmulator({ now: () => now, quotas: { symmetric: 1 } });
    const client = clientOf(emulator);
    const { id: KeyId } = await emulator.keys.create({ spec: "SYMMETRIC_DEFAULT" });
    const { CiphertextBlob } = await client.send(new EncryptCommand({ KeyId, Plaintext: Uint8Array.of(1) }));
    expect(await outcome(client.send(new DecryptCommand({ CiphertextBlob })))).toBe("ThrottlingException");
    const again = new ReEncryptCommand({ CiphertextBlob, DestinationKeyId: KeyId });
    expect(await outcome(client.send(again))).toBe("ThrottlingException");
  });

  it("refuse a class that there is not", async () => {
    await expect(startKmsEmulator({ quotas: { Dream: 1 } })).rejects.toMatchObject({
      details: { path: "quotas.Dream" },
    });
  });
});

describe("propagation", () => {
  it("hides a new key and a new alias for a while, and shows the old target of a moved one", async () => {
    let now = Math.floor(Date.now() / 1000) * 1000;
    await using emulator = await startKmsEmulator({ now: () => now, propagation: { keyMs: 1000, aliasMs: 2000 } });
    const kms = clientOf(emulator);
    const { KeyMetadata: key } = await kms.send(new CreateKeyCommand({}));
    const describeKey = (KeyId: string | undefined) =>
      kms.send(new DescribeKeyCommand({ KeyId })).then(
        (answer) => answer.KeyMetadata?.KeyId,
        (error: Error) => error.name,
      );
    expect(await describeKey(key?.KeyId)).toBe("NotFoundException");
    now += 1000;
    expect(await describeKey(key?.KeyId)).toBe(key?.KeyId);
    await kms.send(new CreateAliasCommand({ AliasName: "alias/a", TargetKeyId: key?.KeyId }));
    expect(await describeKey("alias/a")).toBe("NotFoundException");
    now += 2000;
    expect(await describeKey("alias/a")).toBe(key?.KeyId);
    const { id } = await emulator.keys.create({ spec: "SYMMETRIC_DEFAULT" });
    await kms.send(new UpdateAliasCommand({ AliasName: "alias/a", TargetKeyId: id }));
    expect(await describeKey("alias/a")).toBe(key?.KeyId);
    now += 2000;
    expect(await describeKey("alias/a")).toBe(id);
  });

  it("refuses a span that is none", async () => {
    await expect(startKmsEmulator({ propagation: { keyMs: { min: 2, max: 1 } } })).rejects.toMatchObject({
      details: { path: "propagation.keyMs" },
    });
    await expect(startKmsEmulator({ latencyMs: -1 })).rejects.toMatchObject({ details: { path: "latencyMs" } });
  });
});
