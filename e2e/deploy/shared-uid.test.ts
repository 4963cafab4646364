import { execFile, spawnSync } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningAgent, Stack } from "../stack.ts";
import { signingOnly } from "./signing-only.ts";

const run = promisify(execFile);
const uid = process.getuid?.() ?? 0;
const program = join(import.meta.dirname, "../../packages/cli/bin/basil.js");
/** What a container is to the kernel, less its files. */
const CONTAINER = ["--pid", "--ipc", "--uts", "--mount", "--fork"];
const RENAMED = ["--user", "--map-user=4242", "--map-group=4242"];

/** Namespaces are made by root, or by whoever the system lets. */
const may = (flags: readonly string[]) => spawnSync("unshare", [...flags, "true"]).status === 0;

let stack: Stack;
let agent: RunningAgent;
beforeAll(async () => {
  stack = await Stack.start({
    ...(await signingOnly()),
    policy: {
      schemaVersion: 2,
      subjects: { web: { allOf: [{ kind: "unix", uid }] }, inside: { allOf: [{ kind: "unix", uid: 4242 }] } },
      rules: [{ id: "web-signs", subjects: ["web"], action: ["op:sign"], target: ["jwt.**"] }],
    },
  });
  agent = await stack.startAgent();
});
afterAll(async () => {
  await agent?.stop();
  await stack?.[Symbol.asyncDispose]();
});

/** Signs from namespaces of its own; gives what the audit log says of the caller. */
async function signsFrom(flags: readonly string[], first = ":"): Promise<unknown> {
  const command = [process.execPath, program, "sign", "--key-id", "jwt.signing.primary", "text"];
  const shell = ["sh", "-c", `set -e; ${first}; exec "$@"`, "sh"];
  await run("unshare", [...flags, ...shell, ...command], { env: stack.env });
  return (await stack.audit()).at(-1)?.actor_id;
}

describe("a uid on a node that containers share", () => {
  it.skipIf(!may(CONTAINER))("is one caller, whichever container it comes from", async () => {
    expect(await signsFrom(CONTAINER)).toBe("web");
    expect(await signsFrom(CONTAINER)).toBe("web");
  });

  it.skipIf(!may(RENAMED))("is the kernel's, whatever a user namespace calls it", async () => {
    expect(await signsFrom(RENAMED)).toBe("web");
  });

  it.skipIf(!may(CONTAINER))("reaches the socket through a folder that is mounted read-only", async () => {
    const mounted = `mount --bind "$HOME" "$HOME"; mount -o remount,bind,ro "$HOME"; if touch "$HOME/written"; then exit 9; fi`;
    expect(await signsFrom(CONTAINER, mounted)).toBe("web");
  });
});
