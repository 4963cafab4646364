import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Client, connect, type SealStreamOptions, sealStream } from "@basil/client";
import { policyOfMe } from "../policy-of-me.js";
import { SEED_KEYS } from "../seed-keys.js";
import { Stack, seed } from "../stack.js";
import { type Answer, type TypeOptions, typed } from "./typed.js";

export const KEY = "payload.aead";
/** Long enough for several chunks, and no multiple of one. */
export const content = randomBytes(2 * 65_536 + 1000);

/** A deployment with keys that seal, an agent and a client of it, and a folder with `content` as `plain`. */
export interface SealingStack extends AsyncDisposable {
  readonly stack: Stack;
  readonly client: Client;
  readonly folder: string;
  /** Runs a line in the folder. */
  type(line: string, options?: TypeOptions): Promise<Answer>;
  /** `content`, sealed by the library. */
  sealed(options?: SealStreamOptions): Promise<Buffer>;
}

export async function startSealingStack(): Promise<SealingStack> {
  const catalog = JSON.parse(await seed.text("catalog.json"));
  catalog.keys["other.aead"] = { ...catalog.keys[KEY], path: "alias/basil/other-aead" };
  catalog.keys["sealed.only"] = { ...catalog.keys[KEY], path: "alias/basil/sealed-only" };
  const stack = await Stack.start({
    catalog: JSON.stringify(catalog),
    policy: policyOfMe(
      { id: "both", subjects: ["me"], action: ["op:encrypt", "op:decrypt"], target: [KEY, "other.aead"] },
      { id: "one", subjects: ["me"], action: ["op:encrypt"], target: ["sealed.only"] },
    ),
    emulator: {
      keys: [
        ...SEED_KEYS,
        { spec: "SYMMETRIC_DEFAULT", aliases: ["alias/basil/other-aead"] },
        { spec: "SYMMETRIC_DEFAULT", aliases: ["alias/basil/sealed-only"] },
      ],
    },
  });
  const agent = await stack.startAgent();
  const client = await connect(stack.socket);
  const folder = join(stack.folder, "files");
  await mkdir(folder);
  await writeFile(join(folder, "plain"), content);
  return {
    stack,
    client,
    folder,
    type: (line, options = {}) => typed(line, { env: stack.env, cwd: folder, ...options }),
    sealed: async (options = {}) => collect(await sealStream(client, KEY, content, options)),
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await agent[Symbol.asyncDispose]();
      await stack[Symbol.asyncDispose]();
    },
  };
}

export async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
