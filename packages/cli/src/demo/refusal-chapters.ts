import { PROFILES } from "./demo-environment.js";
import { demand, type Stage } from "./stage.js";
import type { Workdir } from "./workdir.js";

/** What is refused, by whom, and what is told about it. */

export async function denyCalls({ narrator, type }: Stage): Promise<void> {
  narrator.chapter("A call that no rule grants is denied exactly as an unknown key is");
  const denied = await type("basil sign --key-id payload.aead 'not granted'", 4);
  const unknown = await type("basil sign --key-id no.such.key 'not there'", 4);
  demand(denied.stderr === unknown.stderr && denied.stdout === unknown.stdout, "the two answers are the same");
  narrator.say("The same answer; only the operator's audit log tells them apart.");
}

/** Uid and gid of the other user: `nobody` on most systems. */
export const NOBODY = 65_534;

/** The kernel says who calls: another user gets nothing, for the very key and the very words. */
export async function denyOtherUser({ narrator, type }: Stage, workdir: Workdir, uid: number): Promise<void> {
  narrator.chapter("Another user of this host has no subject in the policy");
  if (uid !== 0) {
    narrator.say(
      `Left out: only root can become another user, and this runs as uid ${uid}. Run the demo as root to see it.`,
    );
    return;
  }
  if (!workdir.isOpenToOthers) {
    narrator.say("Left out: no folder was found in which another user could reach the socket.");
    return;
  }
  narrator.say(
    "as-uid is in the demo's bin folder: it loads the program, becomes that user, and runs it, as setpriv would.",
  );
  const denied = await type(`as-uid ${NOBODY} basil sign --key-id jwt.signing.primary 'release 1.0.0 is good'`, 4);
  demand(denied.stdout === "" && denied.stderr.includes("UNAUTHORIZED"), "another user is denied");
  const seen = await type(`as-uid ${NOBODY} basil list`);
  demand(seen.stdout === "", "another user sees no key");
}

export async function denyCreateKey({ narrator, type }: Stage): Promise<void> {
  narrator.chapter("The runtime identity cannot create keys: IAM says no");
  narrator.say('new-key.json holds one more key with "missing": "generate".');
  const { stderr } = await type(
    `env AWS_PROFILE=${PROFILES.runtime} basil agent -c new-key.toml --socket run/new-key.sock --log-level error`,
    1,
  );
  demand(stderr.includes("kms:CreateKey"), "the message names kms:CreateKey");
}

export async function denyWithoutDescribe({ narrator, type }: Stage): Promise<void> {
  narrator.chapter("Without kms:DescribeKey the agent stops before its socket exists");
  const { stderr } = await type(
    `env AWS_PROFILE=${PROFILES.withoutDescribe} basil agent -c without-describe.toml --socket run/without-describe.sock --log-level error`,
    1,
  );
  demand(stderr.includes("kms:DescribeKey"), "the message names kms:DescribeKey");
  await type("test -e run/without-describe.sock || echo 'no socket'");
}

export async function showAudit({ narrator, type }: Stage): Promise<void> {
  narrator.chapter("The audit log of all this");
  narrator.say(
    "Who asked for what, the decision and its reason, the key ARN and the request id that CloudTrail has, too.",
  );
  const { stdout } = await type("cat agent-audit.jsonl");
  demand(
    stdout.includes('"not_permitted"') && stdout.includes('"unknown_key"'),
    "the audit log tells the two denials apart",
  );
  await type("cat signing-audit.jsonl");
}
