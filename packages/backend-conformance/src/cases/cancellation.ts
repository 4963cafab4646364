import {
  type CallContext,
  KEY_TYPES,
  type KeyType,
  TRANSIT_OPERATIONS,
  type TransitOperation,
  within,
} from "@basil/core";
import type { Rule } from "../conformance-case.js";
import { invoke } from "../invoke.js";
import { must, mustRefuse } from "../must.js";
import { mustRefuseUnclaimed } from "../refuse-unclaimed.js";
import type { Subject } from "../subject.js";

const group = "cancellation";

/** For each operation, with the first key type that claims it; where none does, the operation is refused. */
export const cancellationRules: readonly Rule[] = [...TRANSIT_OPERATIONS, "probe" as const].flatMap((operation) => [
  rule(operation, "a call whose caller is gone does nothing", gone),
  rule(operation, "a call past its deadline does nothing", late),
  rule(operation, "a call that is aborted on its way ends soon, and the next one works", midway),
]);

type Call = TransitOperation | "probe";
type Check = (subject: Subject, operation: Call, keyType: KeyType) => Promise<void>;

function rule(operation: Call, name: string, check: Check): Rule {
  return {
    group,
    name: `${operation}: ${name}`,
    check: async (subject) => {
      const { keyTypes } = subject.backend.capabilities;
      const keyType = KEY_TYPES.find((candidate) =>
        operation === "probe" ? keyTypes[candidate] !== undefined : subject.claims(candidate, operation),
      );
      if (keyType !== undefined) return check(subject, operation, keyType);
      if (operation !== "probe") await mustRefuseUnclaimed(subject, KEY_TYPES[0], operation);
    },
  };
}

async function call(subject: Subject, operation: Call, keyType: KeyType, context: CallContext): Promise<unknown> {
  const changes = operation === "createKey" || operation === "rotate";
  const key = changes ? subject.absentKey(keyType) : await subject.key(keyType);
  return operation === "probe" ? subject.backend.probe(key, context) : invoke(subject, operation, key, context);
}

async function gone(subject: Subject, operation: Call, keyType: KeyType): Promise<void> {
  const context = subject.context({ signal: AbortSignal.abort() });
  const what = `${operation} with a signal that was aborted before`;
  await mustRefuse(what, call(subject, operation, keyType, context), "CANCELLED");
  await mustHaveMadeNothing(subject, operation, keyType, context, what);
}

async function late(subject: Subject, operation: Call, keyType: KeyType): Promise<void> {
  const context = subject.context({ deadline: Date.now() - 1000 });
  const what = `${operation} with a deadline that has passed`;
  await mustRefuse(what, call(subject, operation, keyType, context), "DEADLINE_EXCEEDED");
  await mustHaveMadeNothing(subject, operation, keyType, context, what);
}

async function mustHaveMadeNothing(
  subject: Subject,
  operation: Call,
  keyType: KeyType,
  context: CallContext,
  what: string,
): Promise<void> {
  if (operation !== "createKey") return;
  const key = subject.absentKey(keyType);
  await subject.transit.createKey(key, context).catch(() => undefined);
  const { state } = await subject.backend.probe(key, subject.context());
  must(state === "absent", `${what}: was refused, and left a key that probes as ${state}`);
}

async function midway(subject: Subject, operation: Call, keyType: KeyType): Promise<void> {
  const controller = new AbortController();
  const running = call(subject, operation, keyType, subject.context({ signal: controller.signal }));
  const settled = running.then(
    () => "answered" as const,
    (error: unknown) => error,
  );
  setTimeout(() => controller.abort(), 1);
  const outcome = await within(subject.abortMs, undefined, () => settled, { late: () => HUNG, unref: true }).catch(
    (late: unknown) => late,
  );
  must(outcome !== HUNG, `${operation}: was aborted, and has not ended ${subject.abortMs} ms later`);
  if (outcome !== "answered") {
    const codes = operation === "rotate" || operation === "decrypt" ? USUAL : [];
    await mustRefuse(`${operation}, aborted on its way`, Promise.reject(outcome), "CANCELLED", ...codes);
  }
  const again = call(subject, operation, keyType, subject.context());
  if (operation === "rotate") await mustRefuse("rotate of a key that is not there", again, "KEY_NOT_FOUND");
  else if (operation === "decrypt") await mustRefuse("decrypt of no ciphertext", again, "DECRYPT_FAILED");
  else await again;
}

/** What these calls are answered with when they were done before the abort reached them. */
const USUAL = ["KEY_NOT_FOUND", "DECRYPT_FAILED"] as const;

const HUNG = Symbol("hung");
