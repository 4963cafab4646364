import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { goInstall, hasGo } from "../peers/go.js";
import { EchoServer } from "./echo-server.js";

const run = promisify(execFile);

describe.skipIf(!hasGo())("h2spec", () => {
  it("passes all of its tests against @basil/grpc-wire", async () => {
    const h2spec = await goInstall("github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible");
    await using server = await EchoServer.start();
    // Two tests wait for their time-out: an answer that must not come.
    const args = ["--host", "127.0.0.1", "--port", String(server.port), "--timeout", "1"];
    const { stdout } = await run(h2spec, args, { timeout: 120_000 }).catch((error: { stdout: string }) => error);
    const failures = stdout.slice(Math.max(0, stdout.indexOf("Failures:")));
    expect(/(\d+) tests, (\d+) passed, (\d+) skipped, (\d+) failed/.exec(stdout)?.slice(1), failures).toEqual([
      "145",
      "145",
      "0",
      "0",
    ]);
    expect(server.faults).toEqual([]);
  }, 300_000);
});
