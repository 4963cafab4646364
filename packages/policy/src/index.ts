export type { Decision, DenyReason, MatchedRule } from "./decide.js";
export { decide, decideAdmin } from "./decide.js";
export { describeSubject, describeUid } from "./describe-principal.js";
export type { LatentGrant, PolicyDifference, SubjectGrant } from "./diff-policies.js";
export { diffPolicies } from "./diff-policies.js";
export type {
  PolicyErrorCode,
  PolicyErrorDetails,
  PolicyRefusal,
  PolicyRefusalCode,
  PolicyTestRefusalCode,
} from "./errors.js";
export { POLICY_REFUSAL_CODES, PolicyError } from "./errors.js";
export type { EffectiveGrant, EffectiveGrants, Explanation, NearMiss } from "./explain.js";
export { effectiveGrants, explain, explainCaller } from "./explain.js";
export type { Identity, UnauthenticatedIdentity, UnixIdentity } from "./identity.js";
export type { LintCode, LintFinding } from "./lint-policy.js";
export { LINT_CODES, lintPolicy } from "./lint-policy.js";
export { operationFits } from "./operation-fit.js";
export type { AdminOperation, Operation } from "./operations.js";
export {
  ADMIN_OPERATIONS,
  adminTarget,
  isAdminOperation,
  isOperation,
  OPERATIONS,
  STAR_OPERATIONS,
  WRITE_OPERATIONS,
} from "./operations.js";
export { parsePolicy } from "./parse-policy.js";
export type { Policy, PolicyConfig, Principal, Rule, Subject, UnixPrincipal } from "./policy.js";
export { policyJsonSchema } from "./policy-json-schema.js";
export type { PolicyInput } from "./policy-schema.js";
export type { PolicyTestCase, PolicyTestReport, PolicyTestResult } from "./policy-tests.js";
export { parsePolicyTests, runPolicyTests } from "./policy-tests.js";
export type { DocumentChange, DocumentPair, ReloadReport } from "./reload.js";
export { classifyReload, grantCount } from "./reload.js";
export type { Resolution, SubjectRefusalCode } from "./resolve-subject.js";
export { groupsOf, resolveSubject } from "./resolve-subject.js";
export type { SignatureAlgorithm } from "./signature-key.js";
export type { Target } from "./target.js";
export { matchesTarget } from "./target.js";
export type { AllowedSubject, WhoCan } from "./who-can.js";
export { whoCan } from "./who-can.js";
