import type { KmsKeyArn } from "./runtime-policy.js";

/** A statement on a key's ARN is about one version of it; what older ones sealed and signed needs a grant of its own. */
export function olderVersionRemarks(keys: readonly KmsKeyArn[]): string[] {
  return keys.flatMap(({ key, version = 1 }) => {
    if (version < 2) return [];
    const [action, made] = key.class === "symmetric" ? ["kms:Decrypt", "sealed"] : ["kms:Verify", "signed"];
    const older = version === 2 ? "version 1" : `versions 1 to ${version - 1}`;
    return [
      `only version ${version} of ${key.name} is covered: keep kms:DescribeKey and ${action} on ${older} while what was ${made} with them matters; 'basil keys' prints their ARNs`,
    ];
  });
}
