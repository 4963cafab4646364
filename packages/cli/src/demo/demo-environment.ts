import { dirname } from "node:path";
import type { CommandContext, Environment } from "../context.js";
import { quote } from "../shell-quote.js";
import type { Workdir } from "./workdir.js";

/** The AWS profiles of the demo: one for each identity. */
export const PROFILES = {
  provisioner: "basil-provisioner",
  runtime: "basil-runtime",
  withoutDescribe: "basil-runtime-without-describe",
} as const;
export type IdentityName = keyof typeof PROFILES;

export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Where the system keeps what every script may use. */
const SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * What the demo's commands see, and nothing else: no setting of the surroundings, AWS or otherwise, reaches them.
 * The same is in `env.sh`, for a person's own shell.
 */
export function demoEnvironment(
  workdir: Workdir,
  context: CommandContext,
  kms: { endpoint: string; region: string },
): Environment {
  return {
    PATH: `${workdir.path}/bin:${dirname(context.self[0])}:${SYSTEM_PATH}`,
    HOME: workdir.path,
    LANG: "C.UTF-8",
    ...demoSettings(workdir, kms),
  };
}

function demoSettings(
  workdir: Workdir,
  { endpoint, region }: { endpoint: string; region: string },
): Record<string, string> {
  return {
    BASIL_SOCKET: `${workdir.socketFolder}/agent.sock`,
    AWS_ENDPOINT_URL_KMS: endpoint,
    AWS_REGION: region,
    AWS_CONFIG_FILE: `${workdir.path}/aws-config`,
    AWS_SHARED_CREDENTIALS_FILE: `${workdir.path}/aws-credentials`,
    AWS_PROFILE: PROFILES.runtime,
    AWS_EC2_METADATA_DISABLED: "true",
  };
}

/** Writes `env.sh`, the AWS files and the programs of `bin/`. */
export async function writeEnvironment(
  workdir: Workdir,
  context: CommandContext,
  kms: { endpoint: string; region: string },
  keys: Readonly<Record<IdentityName, AccessKey>>,
): Promise<void> {
  const settings = demoSettings(workdir, kms);
  await workdir.write(
    "env.sh",
    `# Source this: what a shell needs to repeat the demo's commands.
for name in $(env | sed -n 's/^\\(AWS_[A-Z0-9_]*\\)=.*/\\1/p; s/^\\(BASIL_[A-Z0-9_]*\\)=.*/\\1/p'); do unset "$name"; done
${Object.entries(settings)
  .map(([name, value]) => `export ${name}=${quote(value)}`)
  .join("\n")}
export PATH=${quote(`${workdir.path}/bin:${dirname(context.self[0])}`)}:"$PATH"
cd ${quote(workdir.path)}
`,
  );
  const identities = Object.entries(PROFILES) as [IdentityName, string][];
  await workdir.write(
    "aws-config",
    identities.map(([, name]) => `[profile ${name}]\nregion = ${kms.region}\n`).join("\n"),
  );
  await workdir.write(
    "aws-credentials",
    identities
      .map(([identity, name]) => {
        const { accessKeyId, secretAccessKey } = keys[identity];
        return `[${name}]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`;
      })
      .join("\n"),
  );
  const self = context.self.map(quote).join(" ");
  await workdir.write("bin/basil", `#!/bin/sh\nexec ${self} "$@"\n`, 0o700);
  await workdir.write(
    "bin/as-uid",
    `#!/bin/sh\nexec ${quote(context.self[0])} ${quote(`${workdir.path}/bin/as-uid.mjs`)} "$@"\n`,
    0o700,
  );
  await workdir.write("bin/as-uid.mjs", asUid(context.self.at(-1) ?? ""), 0o600);
  await workdir.write("verify-jwt.mjs", verifyJwt());
}

/**
 * `as-uid UID basil …` runs the program as another user, who need not be able to read it: it is loaded first, by asking
 * for the broker's health and by the same command with no broker there, both without a word, and only then the user is
 * changed.
 */
function asUid(program: string): string {
  const index = new URL("./index.js", import.meta.url).href;
  return `import { Writable } from "node:stream";
import { main } from ${JSON.stringify(index)};

const [uid, , ...args] = process.argv.slice(2);
const silent = () => new Writable({ write: (chunk, encoding, done) => done() });
for (const words of [["health"], ["--socket", "/nowhere/agent.sock", ...args]]) {
  const rehearsal = { argv: [process.argv[0], ${JSON.stringify(program)}, ...words], stdout: silent(), stderr: silent(), exitCode: 0 };
  await main(Object.create(process, Object.fromEntries(Object.entries(rehearsal).map(([name, value]) => [name, { value, writable: true }]))));
}

process.setgroups([]);
process.setgid(Number(uid));
process.setuid(Number(uid));
process.argv = [process.argv[0], ${JSON.stringify(program)}, ...args];
await main(process);
`;
}

/** Puts a JWT together from its signing input and the signature in hex, and has \`jose\` verify it with the public key. */
function verifyJwt(): string {
  return `import { readFileSync } from "node:fs";
import { importJWK, jwtVerify } from ${JSON.stringify(import.meta.resolve("jose"))};

const [input, signature, jwk] = process.argv.slice(2).map((file) => readFileSync(file, "utf8").trim());
const token = input + "." + Buffer.from(signature, "hex").toString("base64url");
const { payload, protectedHeader } = await jwtVerify(token, await importJWK(JSON.parse(jwk)));
console.log(token);
console.log("jose: verified", JSON.stringify(protectedHeader), JSON.stringify(payload));
`;
}
