export type { Decision, DenyReason, MatchedRule } from "./decide.js";
export { decide, decideAdmin } from "./decide.js";
export type { PolicyErrorCode, PolicyErrorDetails, PolicyRefusal, PolicyRefusalCode } from "./errors.js";
export { POLICY_REFUSAL_CODES, PolicyError } from "./errors.js";
export type { Identity, UnauthenticatedIdentity, UnixIdentity } from "./identity.js";
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
export type { Resolution, SubjectRefusalCode } from "./resolve-subject.js";
export { groupsOf, resolveSubject } from "./resolve-subject.js";
export type { SignatureAlgorithm } from "./signature-key.js";
export type { Target } from "./target.js";
export { matchesTarget } from "./target.js";
