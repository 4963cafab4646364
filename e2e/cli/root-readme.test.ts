import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { startKmsEmulator } from "@basil/aws-kms-emulator";
import { expect, it } from "vitest";
import { Shell } from "../documents/shell.js";

const readme = await readFile(join(import.meta.dirname, "../../README.md"), "utf8");
const use = readme.slice(readme.indexOf("\n## Use it\n"), readme.indexOf("\n## What AWS KMS keys can do\n"));
const [agent = "", caller = ""] = [...use.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, text]) => text ?? "");

/** As it is typed, with three differences: the program is installed, it is not started by npx, and one shell is two terminals. */
it("the root README's agent starts, and its caller gets a signature", { timeout: 120_000 }, async () => {
  await using kms = await startKmsEmulator();
  await using shell = await Shell.open();
  const serve = /^npx (basil agent -c \S+).*$/m;
  expect(agent).toMatch(/^npm install @basil\/cli\n/);
  expect(agent).toMatch(serve);
  const first = agent.replace(/^npm install .*\n/, "").replace(serve, "$1 2> agent.log &\nagent=$!");
  const lines = `${first}\nbasil --socket basil/basil.sock ready --wait 60 > ready.txt\n${caller}`;
  const { accessKeyId, secretAccessKey } = kms.rootCredentials;
  const answer = await shell.type(
    `set -e\ntrap 'kill $agent; wait $agent' EXIT\n${lines.replaceAll("npx basil", "basil")}`,
    {
      AWS_ENDPOINT_URL_KMS: kms.endpoint,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    },
  );
  expect(answer.stderr).toBe("");
  expect(answer.stdout).toMatch(/\n[0-9a-f]{128}\n$/);
  expect(answer.exitCode).toBe(0);
});
