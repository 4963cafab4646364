import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseBackendSpec } from "@basil/bundle";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BackendKinds } from "../backend-kinds.js";
import type { CommandContext } from "../context.js";
import { backendCredential } from "./backend-credential.js";
import { SecretSource } from "./secret-source.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "basil-credential-"));
  await writeFile(join(folder, "token"), "s.token\r\n", { mode: 0o600 });
  await writeFile(join(folder, "loose"), "s.token\n", { mode: 0o644 });
  await chmod(join(folder, "loose"), 0o644);
  await writeFile(join(folder, "dek"), Buffer.alloc(32, 0x0a), { mode: 0o400 });
  await writeFile(join(folder, "dek.hex"), `${"0a".repeat(32)}\n`, { mode: 0o600 });
  await writeFile(join(folder, "blank"), " \n", { mode: 0o600 });
  await writeFile(join(folder, "short"), "x", { mode: 0o600 });
});
afterEach(() => rm(folder, { recursive: true }));

const read = async (spec: string) => {
  using secrets = new SecretSource({ cwd: folder } as CommandContext);
  return await backendCredential(parseBackendSpec(spec), secrets, async () => new BackendKinds());
};

describe("backendCredential", () => {
  it("hands an installed kind's fields to its own schema", async () => {
    const { kind, credential, schema, warning } = await read("id=kms,type=aws-kms,region=us-east-1,profile=p");
    expect({ kind, credential, warning }).toEqual({
      kind: "aws-kms",
      credential: { region: "us-east-1", profile: "p" },
      warning: undefined,
    });
    expect(schema?.safeParse(credential).success).toBe(true);
    expect(schema?.safeParse({ region: "nowhere" }).success).toBe(false);
  });

  const dek = Buffer.alloc(32, 0x0a).toString("base64");
  it.each([
    ["id=v,type=vault,token-file=token", "vault-token", { token: "s.token" }],
    [
      "id=v,type=openbao,role-id=r,secret-id-file=token,addr=https://vault:8200",
      "vault-approle",
      { "role-id": "r", "secret-id": "s.token", addr: "https://vault:8200" },
    ],
    [
      "id=v,type=vault,spiffe-key-file=token,spiffe-id=spiffe://a/b",
      "spiffe-signer",
      { "spiffe-key": "s.token", "spiffe-id": "spiffe://a/b" },
    ],
    [
      "id=g,type=gcp-kms,project=p,location=l,key-ring=k,key-file=token",
      "gcp-kms",
      { project: "p", location: "l", "key-ring": "k", key: "s.token" },
    ],
    [
      "id=o,type=1password,provider-uri=onepassword://v,project=p,profile=q",
      "onepassword",
      { "provider-uri": "onepassword://v", project: "p", profile: "q" },
    ],
    ["id=k,type=db-keystore,path=/db,dek-file=dek", "db-keystore-dek", { path: "/db", dek }],
    ["id=k,type=db-keystore,path=/db,dek-file=dek.hex,cipher=c", "db-keystore-dek", { path: "/db", dek, cipher: "c" }],
  ])("seals %s as given, with a warning", async (spec, kind, credential) => {
    expect(await read(spec)).toMatchObject({ kind, credential, warning: expect.stringContaining("sealed as given") });
  });

  it.each([
    ["id=x,type=unheard-of", "SPEC_SYNTAX"],
    ["id=x,type=aws-kms,regio=us-east-1", "SPEC_SYNTAX"],
    ["id=x,type=vault,token-file=token,colour=red", "SPEC_SYNTAX"],
    ["id=x,type=aws-kms,regoin=us-east-1", "SPEC_SYNTAX"],
    ["id=x,type=vault", "SPEC_INVALID"],
    ["id=x,type=vault,token-file=token,role-id=r", "SPEC_INVALID"],
    ["id=x,type=vault,role-id=r", "SPEC_INVALID"],
    ["id=x,type=vault,token-file=token,addr=ftp://vault", "SPEC_INVALID"],
    ["id=x,type=gcp-kms,project=p", "SPEC_INVALID"],
    ["id=x,type=aws-kms", "SPEC_INVALID"],
    ["id=x,type=aws-kms,profile=p", "SPEC_INVALID"],
    ["id=x,type=vault,token-file=blank", "SECRET_INVALID"],
    ["id=x,type=db-keystore,path=/db,dek-file=short", "KEY_INVALID"],
    ["id=x,type=vault,token-file=loose", "BAD_MODE"],
    ["id=x,type=vault,token-file=absent", "NOT_FOUND"],
  ])("refuses %s with %s", async (spec, code) => {
    await expect(read(spec)).rejects.toMatchObject({ code });
  });
});
