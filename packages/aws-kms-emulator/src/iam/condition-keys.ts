/**
 * Global condition keys of AWS (IAM User Guide, "AWS global condition context keys"), in lower case. Those that no request to
 * this account can have are listed too, because their absence is the right answer: it is in no organization, it has no VPC
 * endpoint, no AWS service calls on behalf of a caller, and a session has no source identity.
 */
const GLOBAL_KEYS: ReadonlySet<string> = new Set(
  [
    ...["PrincipalArn", "PrincipalAccount", "PrincipalType", "PrincipalIsAWSService", "userid", "username"],
    ...["PrincipalOrgID", "PrincipalOrgPaths", "PrincipalServiceName", "PrincipalServiceNamesList"],
    ...["TokenIssueTime", "MultiFactorAuthPresent", "MultiFactorAuthAge", "FederatedProvider", "SourceIdentity"],
    ...["AssumedRoot", "ChatbotSourceArn"],
    ...["SourceIp", "SourceVpc", "SourceVpcArn", "SourceVpce", "VpcSourceIp"],
    ...["VpceAccount", "VpceOrgID", "VpceOrgPaths"],
    ...["ResourceAccount", "ResourceOrgID", "ResourceOrgPaths"],
    ...["CalledVia", "CalledViaFirst", "CalledViaLast", "ViaAWSService"],
    ...["SourceAccount", "SourceArn", "SourceOrgID", "SourceOrgPaths"],
    ...["CurrentTime", "EpochTime", "referer", "RequestedRegion", "SecureTransport", "UserAgent", "TagKeys"],
  ].map((name) => `aws:${name.toLowerCase()}`),
);

/** Condition keys of AWS KMS (KMS Developer Guide, "AWS KMS condition keys"), in lower case. */
const KMS_KEYS: ReadonlySet<string> = new Set(
  [
    ...["BypassPolicyLockoutSafetyCheck", "CallerAccount", "CustomerMasterKeySpec", "CustomerMasterKeyUsage"],
    ...["DataKeyPairSpec", "EncryptionAlgorithm", "EncryptionContextKeys", "ExpirationModel", "GrantConstraintType"],
    ...["GrantIsForAWSResource", "GrantOperations", "GranteePrincipal", "KeyAgreementAlgorithm", "KeyOrigin"],
    ...["KeySpec", "KeyUsage", "MacAlgorithm", "MessageType", "MultiRegion", "MultiRegionKeyType", "PolicyName"],
    ...["PrimaryRegion", "ReEncryptOnSameKey", "ReplicaRegion", "RequestAlias", "ResourceAliases"],
    ...["RetiringPrincipal", "RotationPeriodInDays", "ScheduleKeyDeletionPendingWindowInDays"],
    ...["SigningAlgorithm", "ValidTo", "ViaService", "WrappingAlgorithm", "WrappingKeySpec"],
  ].map((name) => `kms:${name.toLowerCase()}`),
);

const STS_KEYS: ReadonlySet<string> = new Set(["sts:externalid", "sts:rolesessionname"]);

const PREFIXES = [
  "aws:principaltag/",
  "aws:requesttag/",
  "aws:resourcetag/",
  "kms:encryptioncontext:",
  "kms:recipientattestation:",
];

/** Whether this engine fills the key in wherever AWS does. `key` is in lower case. */
export function isKnownConditionKey(key: string): boolean {
  if (GLOBAL_KEYS.has(key) || KMS_KEYS.has(key) || STS_KEYS.has(key)) return true;
  // The subject and audience of a web identity token: `oidc.example.com/id/1:sub`.
  return PREFIXES.some((prefix) => key.startsWith(prefix)) || /^[\w-]+\.[\w./-]+:(?:sub|aud)$/.test(key);
}
