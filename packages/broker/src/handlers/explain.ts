import { explain as explainDecision, isOperation } from "@basil/policy";
import {
  ExplainDecision,
  type ExplainRequest,
  type ExplainResponse,
  ExplainResponseSchema,
  MatchedRuleSchema,
} from "@basil/proto";
import { create } from "@bufbuild/protobuf";
import type { Call } from "../request/call.js";

/** What is served decides, not what a file says meanwhile. Input is checked before the caller is known. */
export async function explain(request: ExplainRequest, call: Call): Promise<ExplainResponse> {
  const subject = request.subject.trim();
  const { op, key } = request;
  if (subject === "") throw call.fail("INVALID_ARGUMENT", "subject must be given");
  if (!isOperation(op)) throw call.fail("INVALID_ARGUMENT", "op: not an operation of the policy");
  call.authorizeAdmin("explain");
  const { policy, catalog } = call.generation;
  const { decision, via, reason, matched_rule: matched } = explainDecision(policy, catalog, subject, op, key);
  return create(ExplainResponseSchema, {
    subject,
    op,
    key,
    decision: decision === "allow" ? ExplainDecision.ALLOW : ExplainDecision.DENY,
    via: via ?? "",
    reason: reason ?? "",
    ...(matched && { matchedRule: create(MatchedRuleSchema, { ...matched }) }),
  });
}
