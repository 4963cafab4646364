import type { Place } from "../place.js";
import { Refusal } from "../refusal.js";

/** What a `KeyId` names, by its form alone. */
export type KeyReference =
  | {
      readonly form: "key";
      readonly id: string;
      readonly arn: string;
      readonly byArn: boolean;
      readonly local: boolean;
    }
  | { readonly form: "alias"; readonly name: string; readonly arn: string; readonly local: boolean };

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const multiRegionId = /^mrk-[0-9a-f]{32}$/;

export function isKeyId(text: string): boolean {
  return uuid.test(text) || multiRegionId.test(text);
}

/** The four forms of KMS: key id, key ARN, alias name, alias ARN. Anything else is refused in the service's words. */
export function parseKeyReference(text: string, place: Place): KeyReference {
  const prefix = `arn:${place.partition}:kms:${place.region}:${place.account}:`;
  if (text.startsWith("alias/")) return { form: "alias", name: text, arn: prefix + text, local: true };
  if (isKeyId(text)) return { form: "key", id: text, arn: `${prefix}key/${text}`, byArn: false, local: true };
  if (!text.startsWith("arn:")) throw new Refusal("NotFoundException", `Invalid keyId '${text}'`);
  const [, partition, service, region, account = "", ...rest] = text.split(":");
  const resource = rest.join(":");
  const slash = resource.indexOf("/");
  const kind = resource.slice(0, slash);
  if (
    partition !== place.partition ||
    service !== "kms" ||
    !/^\d{12}$/.test(account) ||
    (kind !== "key" && kind !== "alias")
  ) {
    throw new Refusal("InvalidArnException", `Invalid arn ${text}`);
  }
  if (region !== place.region) throw new Refusal("NotFoundException", `Invalid arn ${region}`);
  const local = account === place.account;
  if (kind === "alias") return { form: "alias", name: resource, arn: text, local };
  const id = resource.slice(slash + 1);
  if (!isKeyId(id)) throw new Refusal("NotFoundException", `Invalid keyId ${id}`);
  return { form: "key", id, arn: text, byArn: true, local };
}
