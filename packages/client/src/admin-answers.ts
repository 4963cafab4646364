import { type Event, EventKind, ExplainDecision, type ExplainResponse, type ReloadResponse } from "@basil/proto";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { BrokerEvent, ExplainAnswer, ReloadAnswer } from "./answers.js";

export const EVENT_KINDS = {
  key_rotated: EventKind.KEY_ROTATED,
  bundle_changed: EventKind.BUNDLE_CHANGED,
  revoked: EventKind.REVOKED,
} as const satisfies Record<BrokerEvent["kind"], EventKind>;

export function reloadAnswer(answer: ReloadResponse): ReloadAnswer {
  const { applied, checked, previousGeneration, newGeneration, keyCount, grantCount, rejection } = answer;
  return {
    applied,
    checked,
    previousGeneration: Number(previousGeneration),
    newGeneration: Number(newGeneration),
    keyCount,
    grantCount,
    ...(rejection && { rejection: { reason: rejection.reason, message: rejection.message } }),
  };
}

export function explainAnswer({
  subject,
  op,
  key,
  decision,
  via,
  reason,
  matchedRule,
}: ExplainResponse): ExplainAnswer {
  const asked = { subject, op, key };
  if (decision !== ExplainDecision.ALLOW) return { ...asked, decision: "deny", reason };
  if (matchedRule === undefined) return { ...asked, decision: "allow", via };
  const { rule, action, target } = matchedRule;
  const matched = { rule, via: matchedRule.via, subject: matchedRule.subject, action, target };
  return { ...asked, decision: "allow", via, matchedRule: matched };
}

/** Undefined for an event of a kind that this version does not know. */
export function brokerEvent({ at, detail }: Event): BrokerEvent | undefined {
  const when = at === undefined ? new Date(0) : timestampDate(at);
  switch (detail.case) {
    case "keyRotated":
      return { kind: "key_rotated", at: when, keyId: detail.value.keyId, newVersion: detail.value.newVersion };
    case "bundleChanged":
      return { kind: "bundle_changed", at: when, trustDomain: detail.value.trustDomain };
    case "revoked":
      return { kind: "revoked", at: when, trustDomain: detail.value.trustDomain, id: detail.value.id };
    default:
      return undefined;
  }
}
