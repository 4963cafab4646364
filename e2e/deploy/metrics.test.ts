import { once } from "node:events";
import { readFile, stat, writeFile } from "node:fs/promises";
import { get } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { Stack } from "../stack.ts";

const uid = process.getuid?.() ?? 0;

describe("[metrics] socket", () => {
  it("is where the agent's metrics are read, and is gone when the agent is", async () => {
    await using stack = await Stack.start({
      catalog: JSON.stringify({
        schemaVersion: 1,
        backends: { kms: { kind: "aws-kms", addr: "aws-kms:us-east-1", engines: ["transit"] } },
        keys: {},
      }),
      policy: { schemaVersion: 2, subjects: { me: { allOf: [{ kind: "unix", uid }] } }, roles: {}, rules: [] },
    });
    const metrics = join(stack.folder, "metrics.sock");
    const config = await readFile(join(stack.folder, "agent.toml"), "utf8");
    await writeFile(join(stack.folder, "agent.toml"), `${config}\n[metrics]\nsocket = "${metrics}"\n`);
    await using agent = await stack.startAgent();
    expect(await stack.basil(["status"])).toMatchObject({ code: 0 });
    expect((await stat(metrics)).mode & 0o777).toBe(0o600);
    const [response] = await once(get({ socketPath: metrics, path: "/metrics", agent: false }), "response");
    expect(await text(response)).toContain('basil_requests_total{op="status",code="OK",backend="none"} 1\n');
    await agent.stop();
    await expect(stat(metrics)).rejects.toMatchObject({ code: "ENOENT" });
  });
});
