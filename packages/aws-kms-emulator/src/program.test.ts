import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KMSClient, SignCommand } from "@aws-sdk/client-kms";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { main } from "./program.js";

function terminal() {
  const written = { out: "", err: "" };
  let stop = () => {};
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  const io = {
    out: (text: string) => {
      written.out += text;
    },
    err: (text: string) => {
      written.err += text;
    },
    colour: false,
    stopped,
  };
  return { written, io, stop: () => stop() };
}

describe("aws-kms-emulator", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "kms-program-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("serves what the seed file says, logs each call, and ends with 0 when it is stopped", async () => {
    const seed = join(folder, "seed.json");
    const rootAccessKey = { accessKeyId: "AKIAROOT", secretAccessKey: "root" };
    await writeFile(
      seed,
      JSON.stringify({ rootAccessKey, keys: [{ spec: "ECC_NIST_P256", aliases: ["alias/signing"] }] }),
    );
    const { written, io, stop } = terminal();
    const ended = main(["--port", "0", "--seed", seed, "--state", join(folder, "state.json")], "1.0.0", io);
    while (!written.err.includes("AWS_ACCESS_KEY_ID")) await new Promise((resolve) => setImmediate(resolve));
    const endpoint = /listening on (\S+),/.exec(written.err)?.[1] ?? "";
    const client = new KMSClient({ endpoint, region: "us-east-1", credentials: rootAccessKey });
    await client.send(
      new SignCommand({ KeyId: "alias/signing", Message: Uint8Array.of(1), SigningAlgorithm: "ECDSA_SHA_256" }),
    );
    client.destroy();
    stop();
    expect(await ended).toBe(0);
    expect(written.out).toMatch(/^\S+ {2}kms {3}Sign {18}allow {2}200 {2}root {2}alias\/signing\n$/);
    expect(written.err).toContain("account 111122223333, 1 key\n");
  });

  it.for([
    [["--port", "70000"], 2, '--port: must be 0 to 65535, found "70000"'],
    [["--log", "loud"], 2, '--log: must be one of pretty, json, none, found "loud"'],
    [["--nothing"], 2, "Unknown option '--nothing'"],
    [["extra"], 2, "Unexpected argument 'extra'"],
    [["--account", "1"], 1, 'account: must be 12 digits, found "1"'],
    [["--region", "moon"], 1, 'region: must look like us-east-1, found "moon"'],
    [["--seed", "/nowhere/seed.json"], 1, "--seed: /nowhere/seed.json cannot be read: ENOENT"],
    [["--host", "203.0.113.1"], 1, "cannot listen on 203.0.113.1:0: "],
  ] as const)("refuses %j", async ([args, code, message]) => {
    const { written, io } = terminal();
    expect(await main(args, "1.0.0", io)).toBe(code);
    expect(written.err).toContain(message);
    expect(written.out).toBe("");
  });

  it("says that another program listens at the port", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    const { written, io } = terminal();
    expect(await main(["--port", String(port)], "1.0.0", io)).toBe(1);
    expect(written.err).toBe(`aws-kms-emulator: cannot listen on 127.0.0.1:${port}: another program listens there\n`);
    other.close();
  });

  it("prints its help and its version", async () => {
    const { written, io } = terminal();
    expect(await main(["--help"], "1.2.3", io)).toBe(0);
    expect(written.out).toContain("--state <file>");
    expect(await main(["--version"], "1.2.3", io)).toBe(0);
    expect(written.out).toContain("1.2.3\n");
  });
});
