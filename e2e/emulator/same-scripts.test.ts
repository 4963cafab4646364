import { startKmsEmulator } from "@basil/aws-kms-emulator";
import { beforeAll, describe, expect, it } from "vitest";
import { hasPython, pythonVenv } from "../peers/python.js";
import { comparable } from "./comparable.js";
import { kmsPeers } from "./kms-peers.js";
import { type Job, runWithBoto3, runWithJsSdk, type ScriptResult } from "./run-scripts.js";
import { scripts } from "./scripts.js";

/** Everything that is in the scripts, asked for by someone who may do a little of it. */
const limited = {
  Version: "2012-10-17",
  Statement: [
    { Effect: "Allow", Action: ["kms:CreateKey", "kms:DescribeKey", "kms:List*"], Resource: "*" },
    { Effect: "Deny", Action: "kms:Encrypt", Resource: "*" },
  ],
};

async function asLimitedUser(run: (job: Job) => Promise<ScriptResult[]>): Promise<ScriptResult[]> {
  await using emulator = await startKmsEmulator({ seed: 1, users: [{ name: "guest" }] });
  const { endpoint, region } = emulator;
  const { accessKeyId, secretAccessKey } = emulator.principals.createUser({ name: "limited", policies: [limited] });
  return await run({ endpoint, region, accessKeyId, secretAccessKey, scripts: Object.values(scripts) });
}

async function onFreshEmulator(run: (job: Job) => Promise<ScriptResult[]>): Promise<ScriptResult[]> {
  await using emulator = await startKmsEmulator({ users: [{ name: "guest" }] });
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

  it("are denied the same things in the same words", async () => {
    const python = await pythonVenv(kmsPeers);
    const [one, other] = await Promise.all([
      asLimitedUser((job) => runWithBoto3(python, job)),
      asLimitedUser(runWithJsSdk),
    ]);
    const denials = one.flatMap(({ outcomes }) => outcomes.filter(({ error }) => error === "AccessDeniedException"));
    expect(denials.length).toBeGreaterThan(30);
    expect(denials.some(({ message }) => message?.endsWith("with an explicit deny in an identity-based policy"))).toBe(
      true,
    );
    expect(one.map(comparable)).toEqual(other.map(comparable));
  });

  it("get the answers that were read against the documented and recorded ones of the service", async () => {
    const lines = Object.entries(scripts).flatMap(([name, steps], i) => [
      `# ${name}`,
      ...comparable(js[i]!).map((outcome, at) => `${steps[at]?.call} ${JSON.stringify(outcome)}`),
      "",
    ]);
    await expect(lines.join("\n")).toMatchFileSnapshot("answers.txt");
  });
});
