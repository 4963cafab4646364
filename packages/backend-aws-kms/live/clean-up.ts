import {
  DeleteAliasCommand,
  DescribeKeyCommand,
  type KMSClient,
  paginateListAliases,
  paginateListKeys,
  ScheduleKeyDeletionCommand,
} from "@aws-sdk/client-kms";

/** The shortest KMS allows. */
const DAYS = 7;

/** Takes away every alias of a run and schedules the deletion of every key whose Description names it. Says what it does. */
export async function cleanUp(client: KMSClient, runId: string, prefix: string): Promise<void> {
  const aliases: string[] = [];
  for await (const { Aliases = [] } of paginateListAliases({ client }, {})) {
    aliases.push(...Aliases.flatMap(({ AliasName = "" }) => (AliasName.startsWith(prefix) ? [AliasName] : [])));
  }
  // Only now: a page is told from the one before it by a name, which may be gone.
  for (const AliasName of aliases) {
    await client.send(new DeleteAliasCommand({ AliasName }));
    console.info(`deleted ${AliasName}`);
  }
  for await (const { Keys = [] } of paginateListKeys({ client }, {})) {
    for (const { KeyArn: KeyId } of Keys) {
      const { KeyMetadata } = await client.send(new DescribeKeyCommand({ KeyId }));
      if (!KeyMetadata?.Description?.endsWith(`run ${runId}`) || KeyMetadata.KeyState === "PendingDeletion") continue;
      await client.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: DAYS }));
      console.info(`${KeyId} (${KeyMetadata.KeySpec}) is deleted in ${DAYS} days`);
    }
  }
}
