import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type KmsEmulator, type KmsEmulatorOptions, startKmsEmulator } from "@basil/aws-kms-emulator";
import { type Answer, type TypeOptions, typed } from "../cli/typed.js";
import { seed } from "../stack.js";

/** An AWS account to begin with, a folder with the page's catalog, and a person who types there. */
export interface Account extends AsyncDisposable {
  readonly emulator: KmsEmulator;
  readonly folder: string;
  /** The environment of an identity with these policies; everything on KMS when there is none. */
  as(name: string, ...policies: readonly string[]): Record<string, string>;
  type(line: string, env: Record<string, string>, options?: TypeOptions): Promise<Answer>;
  write(name: string, content: unknown): Promise<void>;
}

const EVERYTHING = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "kms:*", Resource: "*" }] };

export async function openAccount(options: KmsEmulatorOptions = {}): Promise<Account> {
  const folder = await mkdtemp(join(tmpdir(), "basil-provision-"));
  const emulator = await startKmsEmulator(options);
  const write = (name: string, content: unknown) =>
    writeFile(join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
  await write("catalog.json", await seed.text("catalog.json"));
  return {
    emulator,
    folder,
    write,
    as(name, ...policies) {
      const user = emulator.principals.createUser({
        name,
        policies: policies.length > 0 ? policies : [JSON.stringify(EVERYTHING)],
      });
      return {
        HOME: folder,
        AWS_ENDPOINT_URL_KMS: emulator.endpoint,
        AWS_REGION: "us-east-1",
        AWS_ACCESS_KEY_ID: user.accessKeyId,
        AWS_SECRET_ACCESS_KEY: user.secretAccessKey,
        AWS_CONFIG_FILE: "/dev/null",
        AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
        AWS_EC2_METADATA_DISABLED: "true",
      };
    },
    type: (line, env, more = {}) => typed(line, { cwd: folder, env, ...more }),
    [Symbol.asyncDispose]: async () => {
      await emulator.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
