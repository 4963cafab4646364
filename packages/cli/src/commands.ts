import type { LazyGroup, RegisteredCommand } from "./command.js";
import { agent } from "./commands/agent.js";
import { completions } from "./commands/completions.js";
import { decrypt } from "./commands/decrypt.js";
import { demo } from "./commands/demo.js";
import { doctor } from "./commands/doctor.js";
import { encrypt } from "./commands/encrypt.js";
import { explain } from "./commands/explain.js";
import { get } from "./commands/get.js";
import { health } from "./commands/health.js";
import { init } from "./commands/init.js";
import { jwks } from "./commands/jwks.js";
import { keys } from "./commands/keys.js";
import { kmsEmulator } from "./commands/kms-emulator.js";
import { list } from "./commands/list.js";
import { mintJwt } from "./commands/mint-jwt.js";
import { newKey } from "./commands/new-key.js";
import { open } from "./commands/open.js";
import { pubkey } from "./commands/pubkey.js";
import { ready } from "./commands/ready.js";
import { reload } from "./commands/reload.js";
import { revoke } from "./commands/revoke.js";
import { rotate } from "./commands/rotate.js";
import { seal } from "./commands/seal.js";
import { set } from "./commands/set.js";
import { sign } from "./commands/sign.js";
import { status } from "./commands/status.js";
import { verify } from "./commands/verify.js";
import { watch } from "./commands/watch.js";

const bundle: LazyGroup = {
  name: "bundle",
  summary: "make, change and check the sealed bundle of backend credentials",
  load: async () => (await import("./bundle/bundle.js")).bundle,
};

const catalog: LazyGroup = {
  name: "catalog",
  summary: "check a catalog",
  load: async () => (await import("./catalog/catalog.js")).catalog,
};

const policy: LazyGroup = {
  name: "policy",
  summary: "lint, test, compare and question a policy",
  load: async () => (await import("./policy/policy.js")).policy,
};

const iam: LazyGroup = {
  name: "iam",
  summary: "write the IAM documents of a deployment, and compare deployed ones",
  load: async () => (await import("./iam/iam.js")).iam,
};

const audit: LazyGroup = {
  name: "audit",
  summary: "check an audit log",
  load: async () => (await import("./audit/audit.js")).audit,
};

const provision: LazyGroup = {
  name: "provision",
  summary: "create and rotate the catalog's keys in AWS KMS, as a job of its own identity",
  load: async () => (await import("./provision/provision.js")).provision,
};

/** Every command, in the order `basil --help` shows them. */
export const commands: readonly (RegisteredCommand | LazyGroup)[] = [
  init,
  agent,
  doctor,
  explain,
  catalog,
  policy,
  bundle,
  iam,
  audit,
  provision,
  keys,
  newKey,
  rotate,
  list,
  pubkey,
  jwks,
  sign,
  verify,
  encrypt,
  decrypt,
  seal,
  open,
  get,
  set,
  mintJwt,
  status,
  health,
  ready,
  reload,
  revoke,
  watch,
  demo,
  kmsEmulator,
  completions,
];
