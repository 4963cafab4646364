import { execFile } from "node:child_process";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { basil } from "../cli/typed.ts";
import { hasPython, pythonVenv } from "../peers/python.ts";
import { Stack } from "../stack.ts";
import { relocate } from "./relocate.ts";

const run = promisify(execFile);
const manifests = join(import.meta.dirname, "../../deploy/kubernetes");
const TO_JSON = "import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(open(sys.argv[1])))))";

interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  readonly securityContext: object;
  readonly [probe: `${string}Probe`]: { readonly exec: { readonly command: readonly string[] } };
}
interface Resource {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly data: Readonly<Record<string, string>>;
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly serviceAccountName: string;
        readonly initContainers: readonly Container[];
        readonly containers: readonly Container[];
        readonly volumes: readonly { readonly name: string }[];
      };
    };
  };
}

describe.skipIf(!hasPython())("deploy/kubernetes", () => {
  let python: string;
  let files: string[];
  let resources: Resource[];
  beforeAll(async () => {
    python = await pythonVenv(["kubernetes-validate==1.37.0"]);
    files = (await readdir(manifests)).filter((name) => name.endsWith(".yaml")).sort();
    resources = (await Promise.all(files.map(read))).flat();
  }, 300_000);

  const read = async (name: string) =>
    JSON.parse((await run(python, ["-c", TO_JSON, join(manifests, name)])).stdout) as Resource[];
  const only = (kind: string) => resources.find((it) => it.kind === kind) as Resource;
  const agentPod = () => only("DaemonSet").spec.template.spec;

  it.for(["1.37", "1.31"])("is what the API of Kubernetes %s takes, with no field unknown", async (version) => {
    const paths = files.map((name) => join(manifests, name));
    const { stdout, stderr } = await run(python, ["-m", "kubernetes_validate", "-k", version, "--strict", ...paths]);
    expect(`${stdout}${stderr}`.match(/ passed for resource /g)).toHaveLength(resources.length);
  });

  it("is held to that: a misspelt field is refused", async () => {
    const text = await readFile(join(manifests, "basil.yaml"), "utf8");
    await using stack = await Stack.start(DEPLOYMENT);
    const wrong = join(stack.folder, "wrong.yaml");
    await writeFile(wrong, text.replace("livenessProbe:", "livelinessProbe:"));
    await expect(run(python, ["-m", "kubernetes_validate", "--strict", wrong])).rejects.toMatchObject({ code: 1 });
  });

  it("gives both kinds of identity to the service account that the agent uses", () => {
    const accounts = resources.filter(({ kind }) => kind === "ServiceAccount");
    expect(accounts.map(({ metadata: { name, namespace } }) => `${namespace}/${name}`)).toEqual(
      Array(2).fill(`basil/${agentPod().serviceAccountName}`),
    );
  });

  it("mounts only volumes that there are, into containers that cannot gain rights", () => {
    const { initContainers, containers, volumes } = agentPod();
    for (const { volumeMounts, securityContext, image } of [...initContainers, ...containers]) {
      for (const { name } of volumeMounts) expect(volumes.map((volume) => volume.name)).toContain(name);
      expect(securityContext).toMatchObject({ allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } });
      expect(image).toBe(containers[0]?.image);
    }
  });

  it("serves with its own configuration, from a copied bundle, and its probes say so", async () => {
    await using stack = await Stack.start(DEPLOYMENT);
    const moved = await relocate(stack.folder);
    const { data } = only("ConfigMap");
    const { initContainers, containers } = agentPod();
    const [agent] = containers;

    const sealed = await stack.basil([
      ...[
        "bundle",
        "create",
        moved("/secret/creds.sealed"),
        "--slot",
        "aws-kms:key=alias/basil/unseal,region=us-east-1",
      ],
      ...["--backend", "id=kms,type=aws-kms,region=us-east-1"],
    ]);
    expect(sealed.code, sealed.stderr).toBe(0);
    const copy = initContainers.find(({ name }) => name === "bundle")?.command ?? [];
    const [program = "", ...words] = copy.map(moved);
    await run(program, words);
    expect((await stat(moved("/var/lib/basil/creds.sealed"))).mode & 0o777).toBe(0o600);

    const { uid, gid } = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
    const config = moved(data["agent.toml"] ?? "").replace('"10002"', `"${gid}"`);
    await writeFile(join(stack.folder, "agent.toml"), config);
    await writeFile(moved("/etc/basil/catalog.json"), data["catalog.json"] ?? "");
    await writeFile(moved("/etc/basil/policy.json"), (data["policy.json"] ?? "").replace("1001", `${uid}`));
    expect(agent?.args).toEqual(["agent", "--config", "/etc/basil/agent.toml"]);

    const socket = moved("/run/basil/basil.sock");
    await using _running = await stack.startAgent({ socket });
    expect((await stat(socket)).mode & 0o777).toBe(0o660);
    const env = { ...stack.env, BASIL_SOCKET: socket };
    for (const probe of ["startupProbe", "livenessProbe", "readinessProbe"] as const) {
      const [name, ...command] = agent?.[probe]?.exec.command ?? [];
      expect(name).toBe("basil");
      expect(await basil(command, { env })).toMatchObject({ exitCode: 0 });
    }
    expect(await basil(["sign", "--key-id", "jwt.signing.primary", "text"], { env })).toMatchObject({ exitCode: 0 });
    expect(await basil(["encrypt", "--key-id", "jwt.signing.primary", "text"], { env })).toMatchObject({ exitCode: 4 });
  });
});

/** What the account holds that the manifests name. */
const DEPLOYMENT = {
  catalog: "{}",
  policy: {},
  emulator: {
    keys: [
      { spec: "ECC_NIST_P256", aliases: ["alias/basil/jwt-signing-primary"] },
      { spec: "SYMMETRIC_DEFAULT", aliases: ["alias/basil/unseal"] },
    ],
  },
} as const;
