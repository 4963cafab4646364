import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { goBuild, hasGo } from "../peers/go.js";
import { hasProgram } from "../peers/program.js";
import { EchoServer } from "./echo-server.js";

const run = promisify(execFile);
const GRPC = ["-H", "content-type: application/grpc", "-H", "te: trailers"];

let server: EchoServer;
let folder: string;
/** A gRPC message of three bytes. */
let body: string;
beforeAll(async () => {
  server = await EchoServer.start();
  folder = await mkdtemp(join(tmpdir(), "basil-clients-"));
  body = join(folder, "body");
  await writeFile(body, Buffer.from([0, 0, 0, 0, 3, 1, 2, 3]));
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

describe.skipIf(!hasGo())("grpc-go", () => {
  it("gets unary answers of up to 400 kB, streams, deadlines and statuses", async () => {
    const client = await goBuild(join(import.meta.dirname, "go-client"));
    const { stdout } = await run(client, [server.path], { timeout: 60_000 });
    expect(stdout.trim().split("\n")).toEqual([
      "echoed 200",
      "streamed 100",
      "silent DeadlineExceeded",
      "unknown Unimplemented",
      "refused PermissionDenied no – never",
    ]);
  }, 300_000);
});

describe.skipIf(!hasProgram("curl"))("curl", () => {
  const curl = (...args: string[]) =>
    run(
      "curl",
      ["-sS", "--http2-prior-knowledge", "--unix-socket", server.path, ...args, "http://localhost/test.Test/Echo"],
      {
        encoding: "buffer",
      },
    );

  it("gets a gRPC answer", async () => {
    const { stdout } = await curl("--data-binary", `@${body}`, ...GRPC);
    expect([...stdout]).toEqual([0, 0, 0, 0, 3, 1, 2, 3]);
  });

  it("gets 415 and a text without a content type of gRPC", async () => {
    const { stdout } = await curl("-w", "%{http_code}");
    expect(String(stdout)).toBe("this server speaks gRPC: POST with content-type application/grpc\n415");
  });
});

describe.skipIf(!hasProgram("nghttp"))("nghttp", () => {
  it("gets an answer with its trailers, and no error of the protocol", async () => {
    const url = `http://127.0.0.1:${server.port}/test.Test/Echo`;
    const { stdout } = await run("nghttp", ["-nv", "-d", body, "-H", ":method: POST", ...GRPC, url]);
    expect(stdout).toContain("grpc-status: 0");
    expect(stdout).not.toMatch(/error_code=(?!NO_ERROR)/);
  });
});

describe.skipIf(!hasProgram("h2load"))("h2load", () => {
  it("has every one of 20,000 requests on 20 connections answered", async () => {
    const url = `http://127.0.0.1:${server.port}/test.Test/Echo`;
    const { stdout } = await run("h2load", ["-n", "20000", "-c", "20", "-m", "50", "-d", body, ...GRPC, url]);
    expect(stdout).toContain("20000 total, 20000 started, 20000 done, 20000 succeeded, 0 failed, 0 errored, 0 timeout");
  });
});
