import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { type KmsEmulator, startKmsEmulator } from "@basil/aws-kms-emulator";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { kmsPeers } from "../emulator/kms-peers.js";
import { hasPython, pythonVenv } from "../peers/python.js";

const page = readFileSync(join(import.meta.dirname, "../../docs/aws-walkthrough.md"), "utf8");
const program = join(import.meta.dirname, "../../packages/cli/bin/basil.js");
const documents = [...page.matchAll(/[Ss]ave as `([\w.-]+)`[^\n]*\n\n```json\n([\s\S]*?)```/g)];
const blocks = [...page.matchAll(/```sh\n# (you|host)\n([\s\S]*?)```/g)].map(([, whose = "", text = ""]) => ({
  whose,
  text,
}));

/** A person's shell that stays open from block to block: variables and background jobs are there in the next one. */
class OpenShell implements AsyncDisposable {
  readonly #child: ChildProcess;
  #out = "";
  #err = "";

  constructor(folder: string, env: Readonly<Record<string, string>>) {
    this.#child = spawn("/bin/sh", [], { cwd: folder, env, stdio: ["pipe", "pipe", "pipe"] });
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#out += text;
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#err += text;
    });
  }

  /** Runs a block; throws with what it wrote to standard error when a command of it fails. */
  async type(block: string): Promise<string> {
    [this.#out, this.#err] = ["", ""];
    // The end of a block is told on standard output, with the number of the first command that failed.
    this.#child.stdin?.write(
      `set -e\ntrap 'echo "block ended $?"' EXIT\n${block}\ntrap - EXIT\nset +e\necho "block ended 0"\n`,
    );
    while (!/^block ended \d+$/m.test(this.#out)) await once(this.#child.stdout ?? this.#child, "data");
    const code = Number(/^block ended (\d+)$/m.exec(this.#out)?.[1]);
    if (code !== 0) throw new Error(`ended with ${code}:\n${block}\n${this.#out}\n${this.#err}`);
    return this.#out.replace(/^block ended 0\n/m, "");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const closed = once(this.#child, "close");
    this.#child.stdin?.end('test -z "$agent" || kill $agent 2> kill.log; exit\n');
    await closed;
  }
}

describe("docs/aws-walkthrough.md", () => {
  it("has no command that is not run here", () => {
    const fences = [...page.matchAll(/^```(\w*)$/gm)]
      .map(([, language]) => language)
      .filter((language) => language !== "");
    expect(new Set(fences)).toEqual(new Set(["sh", "json", "sql"]));
    expect(blocks).toHaveLength(fences.filter((language) => language === "sh").length);
    expect(documents.map(([, name]) => name)).toEqual(["catalog.json", "policy.json"]);
  });

  it("says one of the two at each block, and ends with nothing that runs", () => {
    expect(new Set(blocks.map(({ whose }) => whose))).toEqual(new Set(["you", "host"]));
    expect(page).toMatch(/kill \$agent && wait \$agent/);
  });
});

describe.skipIf(!hasPython())("the walk-through, from an empty account", { timeout: 300_000 }, () => {
  let folder: string;
  let emulator: KmsEmulator;
  const printed = new Map<string, string>();
  const keysAfter = new Map<string, ReturnType<KmsEmulator["keys"]["list"]>>();

  beforeAll(async () => {
    const python = await pythonVenv(kmsPeers);
    folder = await mkdtemp(join(tmpdir(), "basil-walk-"));
    emulator = await startKmsEmulator({ instanceMetadata: { instanceProfile: "basil-agent" } });
    const { accessKeyId, secretAccessKey } = emulator.rootCredentials;
    const place = async (name: string) => {
      const home = join(folder, name);
      await mkdir(join(home, ".aws"), { recursive: true });
      await mkdir(join(home, "bin"));
      await symlink(program, join(home, "bin", "basil"));
      for (const [, file = "", text = ""] of documents) {
        // The one thing that is filled in: who the service runs as here.
        await writeFile(join(home, file), text.replace('"uid": 1000', `"uid": ${process.geteuid?.()}`));
      }
      return home;
    };
    const [desk, host] = [await place("desk"), await place("host")];
    await writeFile(
      join(desk, ".aws", "credentials"),
      `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`,
    );
    const env = (home: string, more: Record<string, string>) => ({
      HOME: home,
      PATH: [join(home, "bin"), dirname(python), dirname(process.execPath), "/usr/bin", "/bin"].join(delimiter),
      AWS_ENDPOINT_URL: emulator.endpoint,
      ...more,
    });
    await using you = new OpenShell(desk, env(desk, { AWS_EC2_METADATA_DISABLED: "true" }));
    const imds = { AWS_EC2_METADATA_SERVICE_ENDPOINT: emulator.endpoint };
    await using there = new OpenShell(host, env(host, imds));
    for (const { whose, text } of blocks) {
      printed.set(text, await (whose === "you" ? you : there).type(text));
      keysAfter.set(text, emulator.keys.list());
    }
  }, 300_000);
  afterAll(async () => {
    await emulator?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const after = (part: string): string => {
    const text = blocks.find((block) => block.text.includes(part))?.text ?? "";
    return printed.get(text) ?? "";
  };
  const keysOnce = (part: string) => keysAfter.get(blocks.find((block) => block.text.includes(part))?.text ?? "") ?? [];

  it("creates both keys as the provisioner, and shows them", () => {
    expect(after("basil provision --catalog")).toMatch(
      /jwt\.signing\tecdsa-p256\t1\tyes\tEnabled\talias\/basil\/jwt-signing\t/,
    );
    const made = emulator.calls.filter(({ operation, status }) => operation === "CreateKey" && status === 200);
    expect(made.map(({ principal }) => /assumed-role\/([\w-]+)\//.exec(principal ?? "")?.[1])).toEqual([
      "basil-provisioner",
      "basil-provisioner",
      "basil-rotator",
    ]);
  });

  it("attaches a policy that diff finds equal to what is needed, and that doctor finds enough", () => {
    expect(after("iam get-role-policy")).toContain("equal: ");
    expect(after("basil doctor")).toMatch(/\[OK {3}\] live:jwt\.signing: /);
    expect(after("basil doctor")).toContain("result: OK");
    expect(after("basil doctor")).not.toContain("no rule needs it");
  });

  it("signs, verifies, and verifies without AWS, on the host as its instance role", async () => {
    expect(after("basil ready")).toContain("ready");
    expect(after("signature=$(")).toBe("true\n");
    expect(after("--offline")).toBe("true\n");
    const signs = emulator.calls.filter(({ operation, status }) => operation === "Sign" && status === 200);
    expect(signs.some(({ principal }) => principal?.includes(":assumed-role/basil-agent/i-"))).toBe(true);
    expect(await readFile(join(folder, "host", "key.pem"), "utf8")).toMatch(/^-----BEGIN PUBLIC KEY-----/);
  });

  it("rotates the key under the running broker, which still verifies what the old one signed", () => {
    expect(after("--commit")).toContain("alias/basil/jwt-signing/v2");
    expect(keysOnce("--commit")).toHaveLength(3);
    expect(after("another message")).toMatch(/^[0-9a-f]{128}\ntrue\n$/);
  });

  it("then leaves the daemon no more of the old key than it needs, to which doctor agrees", () => {
    const block = blocks.findLast(({ text }) => text.includes("basil doctor"))?.text ?? "";
    const [first] = keysOnce("--commit").filter(({ aliases }) => aliases.includes("alias/basil/jwt-signing/v1"));
    const told = printed.get(block) ?? "";
    expect(told).toContain(`; version 1 is ${first?.arn}: Enabled, allowed: kms:DescribeKey, `);
    expect(told).toContain("result: OK");
    expect(told.match(/^\[(?:WARN|FATAL)[^:]*/gm)).toEqual(["[WARN ] socket"]);
    expect(told).toMatch(/\ntrue\n$/);
  });

  it("leaves an audit log whose chain is whole and whose request ids are the emulator's own", () => {
    const line = after("basil audit verify").trim().split("\n").at(-1) ?? "";
    const record = JSON.parse(line) as { backend_request_id?: string; resource?: string };
    const sign = emulator.calls.find(({ requestId }) => requestId === record.backend_request_id);
    expect(sign).toMatchObject({ operation: "Sign", resource: record.resource });
  });

  it("leaves nothing: every key waits for its deletion, and no role is there", () => {
    expect(emulator.keys.list().map(({ state }) => state)).toEqual([
      "PendingDeletion",
      "PendingDeletion",
      "PendingDeletion",
    ]);
    expect(() => emulator.principals.setPolicies("basil-agent", [])).toThrow();
    expect(() => emulator.principals.setPolicies("basil-rotator", [])).toThrow();
  });

  it("was denied nothing on the way but what doctor asked for to see that it is denied", () => {
    const denied = emulator.calls.filter(({ decision }) => decision === "deny");
    const doctor = new Set(["Sign", "Verify", "GetPublicKey", "Encrypt", "Decrypt", "GenerateDataKey", "ListAliases"]);
    const others = denied.filter(({ operation, dryRun }) => !(dryRun || doctor.has(operation)));
    expect(others.map(({ operation, principal }) => [operation, principal])).toEqual([]);
  });
});
