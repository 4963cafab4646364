import type { AnySlotProvider } from "@basil/bundle";
import { loadPlugin } from "../backend-kinds.js";

/** The slot provider of the aws-kms package, from the fields of a spec: key, region, profile, endpoint. */
export async function awsKmsProvider(fields: ReadonlyMap<string, string>): Promise<AnySlotProvider> {
  // Throws what names the package and the command that installs it.
  await loadPlugin("aws-kms");
  const { awsKmsSlot } = await import("@basil/backend-aws-kms");
  const pick = (name: string) => (fields.has(name) ? { [name]: fields.get(name) as string } : {});
  return awsKmsSlot({ ...pick("key"), ...pick("region"), ...pick("profile"), ...pick("endpoint") });
}
