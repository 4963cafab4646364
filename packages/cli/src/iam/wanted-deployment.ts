import type { KeyEntry } from "@basil/catalog";
import type { DeployedKey, Deployment } from "./asked-policy.js";
import type { WantedPolicy } from "./wanted-policy.js";

/** What a wanted policy is about: its keys with all versions that are known, as the broker asks for them. */
export async function deploymentOf({
  document,
  entries,
  keys,
}: Pick<WantedPolicy, "document" | "entries" | "keys">): Promise<Deployment> {
  const { keyReference } = await import("@basil/backend-aws-kms");
  const aliasOf = ({ path }: KeyEntry): string | undefined => {
    const { form, keyId } = keyReference(path);
    return form === "alias" ? keyId : /^arn:[^:]+:kms:[^:]*:[^:]*:(alias\/.+)$/.exec(keyId)?.[1];
  };
  const [, partition = "aws", , region = "", account = ""] =
    document.Statement.flatMap(({ Resource = [] }) => Resource)
      .find((resource) => resource !== "*")
      ?.split(":") ?? [];
  const deployed = keys.flatMap(({ key, arn, others = [] }): DeployedKey[] => {
    const alias = aliasOf(key);
    const inUse = { name: key.name, arn, ...(alias !== undefined && { alias }) };
    // Without an alias there are no versions.
    return [inUse, ...others.map((other) => ({ name: key.name, ...other, alias: `${alias}/v${other.version}` }))];
  });
  const aliases = [...entries.map(aliasOf), ...deployed.map(({ alias }) => alias)];
  return {
    place: { partition, region, account },
    keys: deployed,
    aliases: [...new Set(aliases.flatMap((alias) => alias ?? []))],
  };
}
