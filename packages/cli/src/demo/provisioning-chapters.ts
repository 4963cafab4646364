import type { KmsEmulator } from "@basil/aws-kms-emulator";
import { runtimeIamPolicy, runtimeIamPolicyWithout } from "./demo-documents.js";
import { PROFILES } from "./demo-environment.js";
import type { Stage } from "./stage.js";
import { demand } from "./stage.js";
import type { Workdir } from "./workdir.js";

/** From an empty account to keys, documents and the sealed bundle. */

/** An agent on the provisioner identity makes the keys of all five types, and stops. */
export async function provisionKeys({ narrator, type }: Stage): Promise<void> {
  narrator.chapter("The provisioner identity creates the keys, and stops");
  narrator.say(
    'Every key of provision.json says "missing": "generate"; the agent creates what is absent before it serves.',
  );
  await type(
    "basil bundle create provision.sealed --force --slot passphrase:file=passphrase --backend id=kms,type=aws-kms,region=us-east-1",
  );
  await type(
    `env AWS_PROFILE=${PROFILES.provisioner} basil agent -c provision.toml --socket run/provision.sock 2> provision.log &`,
  );
  await type("basil --socket run/provision.sock ready --wait 30");
  await type("kill $!; wait $!");
  await type("cat provision.log");
}

/** What is served, and what the runtime identity may do: six actions on the keys that now exist. */
export async function showDocuments({ narrator, type }: Stage, emulator: KmsEmulator, workdir: Workdir): Promise<void> {
  narrator.chapter("The catalogs, and the runtime identity's policy");
  const arns = emulator.keys.list().map(({ arn }) => arn);
  demand(arns.length === 5, `five keys exist, not ${arns.length}`);
  const runtime = await runtimeIamPolicy(arns);
  emulator.principals.setPolicies(PROFILES.runtime, [runtime]);
  emulator.principals.setPolicies(PROFILES.withoutDescribe, [await runtimeIamPolicyWithout("kms:DescribeKey", arns)]);
  await workdir.write("iam-runtime.json", `${JSON.stringify(runtime, null, 2)}\n`);
  narrator.say(
    "Catalog and runtime policy are those of docs/backend-aws-kms.md, with these ARNs; a second catalog has ES384, ES512 and Ed25519.",
  );
  await type("cat catalog.json");
  await type("cat signing-catalog.json");
  await type("cat iam-runtime.json");
}

/** The two commands of docs/backend-aws-kms.md. No AWS secret goes in: only where the keys are. */
export async function sealBundle({ narrator, type }: Stage): Promise<void> {
  narrator.chapter("The sealed bundle: a region, and no secret of AWS");
  await type("basil bundle create creds.sealed --force --slot passphrase:file=passphrase");
  await type(
    "basil bundle set-backend creds.sealed --backend id=kms,type=aws-kms,region=us-east-1 --open passphrase:file=passphrase",
  );
  await type("basil bundle show creds.sealed --open passphrase:file=passphrase");
  await type("ls -l creds.sealed");
}

/** Everything that would keep the agent from starting or a call from succeeding, before either is tried. */
export async function proveDeployment({ narrator, type }: Stage): Promise<void> {
  narrator.chapter("Would it start, and may it do what the policy lets people do?");
  narrator.say("Reads and dry runs only: nothing is signed, encrypted or created to find out.");
  const { stdout } = await type("basil doctor -c agent.toml --live");
  demand(stdout.endsWith("result: OK\n"), "doctor finds nothing");
}

/** Two agents on the runtime identity: one for each catalog. */
export async function startAgents({ narrator, type }: Stage): Promise<void> {
  narrator.chapter("The agents start on the runtime identity");
  await type(`env AWS_PROFILE=${PROFILES.runtime} basil agent -c agent.toml 2>> agent.log &`);
  await type(
    `env AWS_PROFILE=${PROFILES.runtime} basil agent -c signing.toml --socket run/signing.sock 2>> signing.log &`,
  );
  await type("basil ready --wait 30");
  await type("basil --socket run/signing.sock ready --wait 30");
  await type("basil status");
  await type("basil list");
}
