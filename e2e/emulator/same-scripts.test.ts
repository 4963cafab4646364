import { startKmsEmulator } from "@basil/aws-kms-emulator";
import { beforeAll, describe, expect, it } from "vitest";
import { hasPython, pythonVenv } from "../peers/python.js";
import { comparable } from "./comparable.js";
import { kmsPeers } from "./kms-peers.js";
import { type Job, runWithBoto3, runWithJsSdk, type ScriptResult } from "./run-scripts.js";
import { scripts } from "./scripts.js";

async function onFreshEmulator(run: (job: Job) => Promise<ScriptResult[]>): Promise<ScriptResult[]> {
  await using emulator = await startKmsEmulator();
  const { endpoint, region, rootCredentials } = emulator;
  return await run({ endpoint, region, ...rootCredentials, scripts: Object.values(scripts) });
}

describe.skipIf(!hasPython())("boto3 and the AWS SDK for JavaScript", () => {
  let boto3: ScriptResult[] = [];
  let js: ScriptResult[] = [];

  beforeAll(async () => {
    const python = await pythonVenv(kmsPeers);
    [boto3, js] = await Promise.all([
      onFreshEmulator((job) => runWithBoto3(python, job)),
      onFreshEmulator(runWithJsSdk),
    ]);
  }, 300_000);

  it.for(Object.keys(scripts).map((name, i) => [name, i] as const))(
    "get the same answers, errors and shapes from the script %s",
    ([, i]) => {
      const [one, other] = [boto3[i], js[i]];
      expect(one?.outcomes.length).toBeGreaterThan(0);
      expect(comparable(one!)).toEqual(comparable(other!));
    },
  );

  it("get the answers that were read against the documented and recorded ones of the service", async () => {
    const lines = Object.entries(scripts).flatMap(([name, steps], i) => [
      `# ${name}`,
      ...comparable(js[i]!).map((outcome, at) => `${steps[at]?.call} ${JSON.stringify(outcome)}`),
      "",
    ]);
    await expect(lines.join("\n")).toMatchFileSnapshot("answers.txt");
  });
});
