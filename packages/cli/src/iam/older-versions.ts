import type { KmsKeyArn } from "./runtime-policy.js";

/** A statement is about the versions whose ARN is known; what others sealed and signed needs a grant of its own. */
export function olderVersionRemarks(keys: readonly KmsKeyArn[]): string[] {
  return keys.flatMap(({ key, version = 1, others = [], hidden = [] }) => {
    if (hidden.length === 0) return [];
    const [action, made] = key.class === "symmetric" ? ["kms:Decrypt", "sealed"] : ["kms:Verify", "signed"];
    const covered = [version, ...others.map((other) => other.version)];
    const named = hidden.includes(version) ? "the version in use" : versionsText(covered);
    return [
      `only ${named} of ${key.name} ${covered.length === 1 ? "is" : "are"} covered: keep kms:DescribeKey and ${action} on ${versionsText(hidden)} while what was ${made} with them matters; 'basil keys' prints their ARNs`,
    ];
  });
}

/** e.g. `version 2`, `versions 1 to 3`, `versions 1, 3` */
function versionsText(versions: readonly number[]): string {
  const sorted = [...new Set(versions)].sort((a, b) => a - b);
  const [first = 0] = sorted;
  const last = sorted.at(-1) ?? first;
  if (sorted.length === 1) return `version ${first}`;
  return last - first + 1 === sorted.length ? `versions ${first} to ${last}` : `versions ${sorted.join(", ")}`;
}
